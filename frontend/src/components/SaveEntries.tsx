import type { Range } from "../data/axis.ts";
import type { ColourOf } from "../drawing/paint.ts";
import { figureSvg } from "../drawing/svg.ts";
import { fileName, savePng, saveText } from "../host/save.ts";
import { type NumberTable, numbersCsv, numbersJson, numbersOf } from "../model/numbers.ts";
import type { Picture } from "../model/picture.ts";

const HEIGHT = 360;

const ROW_FORMATS = ["csv", "json"] as const;
type RowFormat = (typeof ROW_FORMATS)[number];
const TYPES: Record<RowFormat, string> = { csv: "text/csv", json: "application/json" };

export interface SaveProps {
  /** Of what is shown: the file's name and the figure's title. */
  name: string;
  picture: Picture;
  range: Range;
  width: number;
  /** In light: figures are printed on white. */
  colourOf: ColourOf;
  /** The address of the rows in a format, of those shown or of all; absent where there is none. */
  rows?: (format: RowFormat, isAll: boolean) => string;
  isZoomed: boolean;
}

/** The entries of a card's menu that save it: as a figure, as what it draws, as exact rows. */
export function SaveEntries(props: SaveProps) {
  const { name, picture, range, width, colourOf, rows, isZoomed } = props;
  return (
    <>
      {picture.refusal === undefined && (
        <DrawnEntries
          name={`${name}_chart`}
          svg={() =>
            figureSvg({
              picture,
              range,
              width,
              height: HEIGHT,
              title: name,
              theme: "light",
              colourOf,
            })
          }
          numbers={() => numbersOf(picture, range)}
        />
      )}
      {rows &&
        (isZoomed ? [false, true] : [true]).map((isAll) => {
          const which = isAll ? "all steps" : "the steps shown";
          return (
            <p key={which}>
              {isAll ? "All steps" : "Steps shown"}
              {ROW_FORMATS.map((format) => (
                <a
                  key={format}
                  class="text-button"
                  href={rows(format, isAll)}
                  download={fileName(name, format)}
                  aria-label={`${format.toUpperCase()} of ${which}`}
                >
                  {format.toUpperCase()}
                </a>
              ))}
            </p>
          );
        })}
    </>
  );
}

interface DrawnProps {
  /** Of what is shown: the file's name. */
  name: string;
  svg: () => string;
  numbers: () => NumberTable;
}

/** Those of what is drawn, as a figure and as numbers. */
export function DrawnEntries({ name, svg, numbers }: DrawnProps) {
  const saveNumbers = (format: RowFormat) => {
    const write = format === "csv" ? numbersCsv : numbersJson;
    saveText(fileName(name, format), write(numbers()), TYPES[format]);
  };
  return (
    <>
      <p>
        Figure
        <SaveButton
          what="figure"
          ending="svg"
          onClick={() => saveText(fileName(name, "svg"), svg(), "image/svg+xml")}
        />
        <SaveButton
          what="figure"
          ending="png"
          onClick={() => void savePng(fileName(name, "png"), svg())}
        />
      </p>
      <p>
        Values drawn
        {ROW_FORMATS.map((format) => (
          <SaveButton
            key={format}
            what="of the values drawn"
            ending={format}
            onClick={() => saveNumbers(format)}
          />
        ))}
      </p>
    </>
  );
}

interface SaveButtonProps {
  what: string;
  ending: string;
  onClick: () => void;
}

/** Named by its ending, and in full for those who hear it without what stands before it. */
function SaveButton({ what, ending, onClick }: SaveButtonProps) {
  const name = ending.toUpperCase();
  return (
    <button type="button" class="text-button" aria-label={`${name} ${what}`} onClick={onClick}>
      {name}
    </button>
  );
}
