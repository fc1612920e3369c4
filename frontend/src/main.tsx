/** The module that TensorBoard imports; it calls render() once. */

import { render as renderInto } from "preact";
import { App } from "./components/App.tsx";
import { Dashboard } from "./dashboard.ts";
import { connect, followTheme, followVisibility } from "./host/host.ts";
import { keepAddress } from "./host/keepAddress.ts";
import cards from "./styles/cards.css";
import composition from "./styles/composition.css";
import findings from "./styles/findings.css";
import legend from "./styles/legend.css";
import narrow from "./styles/narrow.css";
import notices from "./styles/notices.css";
import overview from "./styles/overview.css";
import page from "./styles/page.css";
import picker from "./styles/picker.css";
import sweep from "./styles/sweep.css";
import table from "./styles/table.css";
import toolbar from "./styles/toolbar.css";
import tooltip from "./styles/tooltip.css";

export function render(): void {
  const style = document.createElement("style");
  // Narrow windows come last: their rules take the place of others.
  style.textContent = [
    page,
    picker,
    toolbar,
    cards,
    composition,
    legend,
    findings,
    table,
    overview,
    sweep,
    tooltip,
    notices,
    narrow,
  ].join("");
  document.head.append(style);
  document.documentElement.lang = "en";
  document.title = "Regularization";

  const dashboard = new Dashboard();
  followTheme((theme) => {
    document.documentElement.dataset.theme = theme;
    dashboard.setTheme(theme);
  });
  keepAddress(dashboard);
  connect({
    onRuns: (runs) => dashboard.setRuns(runs),
    onReload: () => void dashboard.reload(),
  });
  followVisibility((isVisible) => dashboard.setVisible(isVisible));
  renderInto(<App dashboard={dashboard} />, document.body);
}
