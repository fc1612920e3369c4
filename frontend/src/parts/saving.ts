/** What a card's menu saves, and how: nobody saves before they see. */

// With the page: see sweep.ts.
import "../main.tsx";

export { SaveEntries } from "../components/SaveEntries.tsx";
