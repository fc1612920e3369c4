/** The module that TensorBoard imports; it calls render() once. */

import { render as renderInto } from "preact";
import uPlotStyles from "uplot/dist/uPlot.min.css";
import { App } from "./components/App.tsx";
import { Dashboard } from "./dashboard.ts";
import { connect, followTheme, followVisibility } from "./host.ts";
import styles from "./styles.css";

export function render(): void {
  const style = document.createElement("style");
  style.textContent = uPlotStyles + styles;
  document.head.append(style);
  document.documentElement.lang = "en";

  const dashboard = new Dashboard();
  followTheme((theme) => {
    document.documentElement.dataset.theme = theme;
    dashboard.setTheme(theme);
  });
  connect({
    onRuns: (runs) => dashboard.setRuns(runs),
    onReload: () => void dashboard.reload(),
  });
  followVisibility((isVisible) => dashboard.setVisible(isVisible));
  renderInto(<App dashboard={dashboard} />, document.body);
}
