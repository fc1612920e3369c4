"""Watches a page in Chromium: when what it shows changed, and how busy its main thread was."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from playwright.sync_api import Frame, Page

# What a gesture brings about is answered and drawn by then.
_QUIET_MS = 500
# Between two moves of the mouse: three frames.
_MOVE_MS = 50

_SCRIPT = """
(() => {
  const frames = [];
  const events = [];
  const afterPaint = (call) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => call(performance.now());
    port2.postMessage(0);
  };
  // Messages that are sent while a frame is made arrive once it is painted.
  let isInFrame = false;
  const request = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (call) => request((time) => {
    if (!isInFrame) {
      isInFrame = true;
      afterPaint(() => { isInFrame = false; });
    }
    call(time);
  });
  let isDue = false;
  const painted = () => {
    isDue = false;
    afterPaint((time) => frames.push(time));
  };
  const changed = () => {
    if (!isDue) {
      isDue = true;
      isInFrame ? painted() : request(painted);
    }
  };
  for (const name of ["fill", "stroke"]) {
    const draw = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...rest) {
      changed();
      return draw.apply(this, rest);
    };
  }
  const isOfChart = ({ target }) =>
    (target instanceof Element ? target : target.parentElement)?.closest(CHARTS);
  new MutationObserver((records) => records.some(isOfChart) && changed()).observe(document, {
    subtree: true, childList: true, attributes: true, characterData: true,
  });
  let stop = () => {};
  let recorded = [];
  let isRecording = false;
  window.probe = {
    begin(type) {
      const note = (event) => events.push(event.timeStamp);
      stop();
      window.addEventListener(type, note, true);
      stop = () => window.removeEventListener(type, note, true);
      events.length = frames.length = 0;
    },
    found: () => ({ frames, events }),
    answers: (name) => performance.getEntriesByType("resource")
      .filter((entry) => entry.name.includes(name))
      .map((entry) => ({ name: entry.name, end: entry.responseEnd })),
    record() {
      let last;
      recorded = [];
      const each = (time) => {
        if (last !== undefined) recorded.push(time - last);
        last = time;
        if (isRecording) request(each);
      };
      isRecording = true;
      request(each);
    },
    recorded() {
      isRecording = false;
      return recorded;
    },
  };
})();
"""


@dataclass(frozen=True)
class Change:
    """What followed a gesture, in milliseconds; times are from the gesture's event."""

    first: float
    """Until the first frame that shows a change in a chart is painted."""
    last: float
    """Until the last such frame is."""
    work: float
    """The main thread's, in all of its tasks."""


def inject(page: Page, charts: str) -> None:
    """Lets a page that is not open yet be watched; ``charts`` selects what counts."""
    page.add_init_script(_SCRIPT.replace("CHARTS", json.dumps(charts)))


class Probe:
    """Watches one frame of an open page."""

    def __init__(self, page: Page, frame: Frame) -> None:
        self._page = page
        self._frame = frame
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable")

    def first_draw(self, route: str) -> float:
        """Returns the time from the last answer of a route to the last change of a chart."""
        self.rest()
        frames: list[float] = self._frame.evaluate("probe.found().frames")
        return max(frames) - max(end for _, end in self._answers(route))

    def asked(self, route: str) -> list[str]:
        """Returns the addresses of a route that were answered so far."""
        return [address for address, _ in self._answers(route)]

    def watch(self, event: str, act: Callable[[], object]) -> Change:
        """Does something that brings an event about, and waits until all is quiet again."""
        (change,) = self._watch(event, [act], _QUIET_MS)
        return change

    def watch_moves(self, moves: list[Callable[[], object]]) -> list[Change]:
        """Moves the mouse again and again."""
        return self._watch("mousemove", moves, _MOVE_MS)

    def _watch(self, event: str, acts: Sequence[Callable[[], object]], rest: float) -> list[Change]:
        """Does one thing after the other; those that change nothing in a chart are left out."""
        self._frame.evaluate("type => probe.begin(type)", event)
        works = []
        for act in acts:
            before = self._work()
            act()
            self.rest(rest)
            works.append(self._work() - before)
        found = self._frame.evaluate("probe.found()")
        begins: list[float] = found["events"]
        changes = []
        for begin, end, work in zip(begins, [*begins[1:], math.inf], works, strict=True):
            after = [time - begin for time in found["frames"] if begin < time < end]
            if after:
                changes.append(Change(after[0], after[-1], work))
        return changes

    def frames_during(self, act: Callable[[], object]) -> list[float]:
        """Returns how long each frame was shown while something was done."""
        self._frame.evaluate("probe.record()")
        act()
        durations: list[float] = self._frame.evaluate("probe.recorded()")
        return durations

    def nothing(self) -> float:
        """Returns the work while nothing is done for as long as after a move."""
        before = self._work()
        self.rest(_MOVE_MS)
        return self._work() - before

    def rest(self, milliseconds: float = _QUIET_MS) -> None:
        """Waits without asking anything of the page."""
        self._page.wait_for_timeout(milliseconds)

    def _answers(self, route: str) -> list[tuple[str, float]]:
        found = self._frame.evaluate("name => probe.answers(name)", route)
        return [(each["name"], each["end"]) for each in found]

    def _work(self) -> float:
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        (seconds,) = (each["value"] for each in metrics if each["name"] == "TaskDuration")
        return 1000 * float(seconds)
