/** Talks to the server: acknowledges states, comes back by itself, and can be told to start over. */
import type { Alarm, Message } from "./messages";

export interface Listener {
  message(m: Message): void; link(open: boolean): void; alarm(a: Alarm): void;
  /** Run of the server and number of the last block that came of it; empty before the first. */
  had(): { run: string; seq: number } | null;
}
export interface Connection { restart(): void }

const SLOWEST = 4000; // ms between two attempts

export function connect(to: Listener): Connection {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  let wait = 250, socket: WebSocket;
  const open = (): void => {
    const had = to.had(), since = had ? `?run=${encodeURIComponent(had.run)}&had=${had.seq}` : "";
    const mine = socket = new WebSocket(`${scheme}://${location.host}/live${since}`);
    let over = false;
    mine.onopen = () => { wait = 250; to.link(true); };
    mine.onmessage = (event: MessageEvent<string>) => {
      if (over) return;
      for (const line of event.data.split("\n")) {
        const message = JSON.parse(line) as Message;
        to.message(message);
        if (message.type === "state") mine.send(JSON.stringify({ ack: message.n }));
      }
    };
    // A socket whose other end is gone may take minutes to close; `restart` does not wait for it.
    mine.onclose = () => {
      if (over) return;
      over = true;
      to.link(false);
      setTimeout(open, wait);
      wait = Math.min(wait * 2, SLOWEST);
    };
  };
  open();
  listen(to);
  return { restart: () => { const old = socket; old.close(); old.onclose?.(new CloseEvent("close")); } };
}

/** The browser sends Last-Event-ID by itself when it comes back, so no alarm is missed. */
function listen(to: Listener): void {
  const alarms = new EventSource("/alarms");
  alarms.onmessage = (event: MessageEvent<string>) => to.alarm(JSON.parse(event.data) as Alarm);
  alarms.onerror = () => {
    if (alarms.readyState === EventSource.CLOSED) setTimeout(() => listen(to), SLOWEST);
  };
}
