/** A state that components follow. */

import { useEffect, useState } from "preact/hooks";

export class Store<State> {
  private current: State;
  private readonly listeners = new Set<() => void>();

  constructor(initial: State) {
    this.current = initial;
  }

  get state(): State {
    return this.current;
  }

  update(change: Partial<State>): void {
    this.current = { ...this.current, ...change };
    for (const listener of this.listeners) {
      listener();
    }
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** The state, and a new rendering whenever it changes. */
export function useStore<State>(store: Store<State>): State {
  const [state, setState] = useState(store.state);
  useEffect(() => {
    const follow = () => setState(store.state);
    follow();
    return store.subscribe(follow);
  }, [store]);
  return state;
}
