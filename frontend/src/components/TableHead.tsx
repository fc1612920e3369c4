import { reorder, type TableColumn, type TableOrder } from "../model/table.ts";

interface Props<Row> {
  columns: readonly TableColumn<Row>[];
  order: TableOrder | undefined;
  onOrder: (order: TableOrder) => void;
}

/** Headings that sort. */
export function TableHead<Row>({ columns, order, onOrder }: Props<Row>) {
  return (
    <thead>
      <tr>
        {columns.map(({ id, label }) => (
          <th
            key={id}
            scope="col"
            aria-sort={order?.id !== id ? "none" : order.isDescending ? "descending" : "ascending"}
          >
            <button type="button" onClick={() => onOrder(reorder(order, id))}>
              {label}
            </button>
          </th>
        ))}
      </tr>
    </thead>
  );
}
