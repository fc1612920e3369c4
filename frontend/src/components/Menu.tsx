import { useEffect, useRef } from "preact/hooks";
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
  /** Absent where the card stays where it is. */
  onPin?: () => void;
  isPinned?: boolean | undefined;
}

/** What else can be done with a card: above all, saving it as a figure or as numbers. */
export function Menu(props: Props) {
  const { name, picture, range, width, colourOf, rows, isZoomed, onPin, isPinned } = props;
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = () => menu.current?.removeAttribute("open");
    const onKey = ({ key }: KeyboardEvent) => {
      if (key === "Escape" && menu.current?.open) {
        close();
        menu.current.querySelector("summary")?.focus();
      }
    };
    const onOutside = ({ target }: Event) => {
      if (!menu.current?.contains(target as Node)) {
        close();
      }
    };
    document.addEventListener("keydown", onKey);
    document.addEventListener("pointerdown", onOutside);
    document.addEventListener("focusin", onOutside);
    return () => {
      document.removeEventListener("keydown", onKey);
      document.removeEventListener("pointerdown", onOutside);
      document.removeEventListener("focusin", onOutside);
    };
  }, []);
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
    <details class="menu" ref={menu}>
      <summary class="text-button" aria-label={`More of ${name}`} title="Pin, enlarge, download">
        ⋮
      </summary>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the buttons within have their own keys */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: see above */}
      <div class="menu-box" onClick={() => menu.current?.removeAttribute("open")}>
        {onPin && (
          <button type="button" class="text-button" onClick={onPin}>
            {isPinned ? "Unpin" : "Pin to the top"}
          </button>
        )}
        <button
          type="button"
          class="text-button"
          onClick={() => void menu.current?.closest("article")?.requestFullscreen()}
        >
          Full screen
        </button>
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
