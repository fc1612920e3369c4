import { LOOKS } from "../drawing/look.ts";
import type { ColourOf } from "../drawing/paint.ts";
import { figureSvg } from "../drawing/svg.ts";
import { fileName, savePng, saveText } from "../host/save.ts";
import type { Picture, Range } from "../model/picture.ts";

const HEIGHT = 360;

interface Props {
  /** Of what is shown: the file's name and the figure's title. */
  name: string;
  picture: Picture;
  range: Range;
  width: number;
  /** In light: figures are printed on white. */
  colourOf: ColourOf;
  /** The address of the rows in a format, of those shown or of all; absent where there is none. */
  rows?: (format: "csv" | "json", isAll: boolean) => string;
  isZoomed: boolean;
}

/** What is shown as a file: a figure for a paper, or the numbers. */
export function Download({ name, picture, range, width, colourOf, rows, isZoomed }: Props) {
  const svg = () =>
    figureSvg({ picture, range, width, height: HEIGHT, title: name, look: LOOKS.light, colourOf });
  const save = (ending: "svg" | "png") => {
    if (ending === "png") {
      void savePng(fileName(name, ending), svg());
    } else {
      saveText(fileName(name, ending), svg(), "image/svg+xml");
    }
  };
  return (
    <details class="menu">
      <summary class="text-button">Download</summary>
      <div class="menu-box">
        {picture.refusal === undefined &&
          (["svg", "png"] as const).map((ending) => (
            <button key={ending} type="button" class="text-button" onClick={() => save(ending)}>
              {ending.toUpperCase()} figure
            </button>
          ))}
        {rows &&
          (isZoomed ? [false, true] : [true]).flatMap((isAll) =>
            (["csv", "json"] as const).map((format) => (
              <a
                key={`${format} ${isAll}`}
                class="text-button"
                href={rows(format, isAll)}
                download={fileName(name, format)}
              >
                {format.toUpperCase()} of {isAll ? "all steps" : "the steps shown"}
              </a>
            )),
          )}
      </div>
    </details>
  );
}
