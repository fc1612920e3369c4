/** Files that the page makes itself. */

/** Three times as fine as a screen: what papers and slides ask for. */
const PNG_SCALE = 3;

export function saveText(name: string, text: string, type: string): void {
  saveBlob(name, new Blob([text], { type }));
}

function saveBlob(name: string, blob: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download has begun by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Draws an SVG on a canvas and saves that. */
export async function savePng(name: string, svg: string): Promise<void> {
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.width * PNG_SCALE;
  canvas.height = image.height * PNG_SCALE;
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  canvas.toBlob((blob) => blob && saveBlob(name, blob));
}

/** A name that every file system takes. */
export function fileName(name: string, ending: string): string {
  return `${name.replace(/[^\p{L}\p{N}.=,_-]+/gu, "_").slice(0, 100)}.${ending}`;
}
