/** The card of a sweep: the first sight of a page has no need of it. */

// With the page, or what both share would be exported name by name, from several files.
import "../main.tsx";

export { SweepCard } from "../components/SweepCard.tsx";
