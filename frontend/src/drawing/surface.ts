/** What a picture is drawn on: a canvas here, a file in svg.ts. */

/** x and y of one point after the other. */
export type Points = ArrayLike<number>;

export interface Fill {
  readonly colour: string;
  readonly alpha: number;
  readonly hatched?: boolean;
}

export interface Stroke {
  readonly colour: string;
  readonly alpha: number;
  readonly width: number;
  readonly dashed?: boolean;
}

export interface Surface {
  /** Device pixels that are as wide as one pixel of a page. */
  readonly ratio: number;
  polygon(points: Points, fill: Fill): void;
  polyline(points: Points, stroke: Stroke): void;
  rectangle(x: number, y: number, width: number, height: number, fill: Fill): void;
  text(x: number, y: number, text: string, colour: string, align: CanvasTextAlign): void;
}

export function canvasSurface(ctx: CanvasRenderingContext2D, ratio: number, font: string): Surface {
  const paint = ({ colour, alpha, hatched }: Fill) => {
    ctx.globalAlpha = alpha;
    ctx.fillStyle = hatched ? hatching(ctx, colour, ratio) : colour;
  };
  const trace = (points: Points) => {
    ctx.beginPath();
    for (let i = 0; i < points.length; i += 2) {
      ctx.lineTo(points[i] ?? 0, points[i + 1] ?? 0);
    }
  };
  return {
    ratio,
    polygon(points, fill) {
      paint(fill);
      trace(points);
      ctx.fill();
    },
    polyline(points, { colour, alpha, width, dashed }) {
      ctx.globalAlpha = alpha;
      ctx.strokeStyle = colour;
      ctx.lineWidth = width * ratio;
      ctx.lineJoin = "round";
      ctx.setLineDash(dashed ? [4 * ratio, 4 * ratio] : []);
      trace(points);
      ctx.stroke();
    },
    rectangle(x, y, width, height, fill) {
      paint(fill);
      ctx.fillRect(x, y, width, height);
    },
    text(x, y, text, colour, align) {
      ctx.globalAlpha = 1;
      ctx.fillStyle = colour;
      ctx.font = font;
      ctx.textAlign = align;
      ctx.textBaseline = "bottom";
      ctx.fillText(text, x, y);
    },
  };
}

const patterns = new Map<string, CanvasPattern>();

/** Diagonal stripes: what nobody can explain must not look like a term. */
function hatching(
  ctx: CanvasRenderingContext2D,
  colour: string,
  ratio: number,
): CanvasPattern | string {
  const size = Math.round(8 * ratio);
  const name = `${colour} ${size}`;
  const known = patterns.get(name);
  if (known !== undefined) {
    return known;
  }
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const brush = tile.getContext("2d");
  if (brush === null) {
    return colour;
  }
  brush.strokeStyle = colour;
  brush.lineWidth = size / 4;
  for (const shift of [-size, 0, size]) {
    brush.moveTo(shift - 1, size + 1);
    brush.lineTo(shift + size + 1, -1);
  }
  brush.stroke();
  const pattern = ctx.createPattern(tile, "repeat");
  if (pattern === null) {
    return colour;
  }
  patterns.set(name, pattern);
  return pattern;
}
