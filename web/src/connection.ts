/** Talks to the server: acknowledges states, notices silence, comes back by itself. */
import type { Alarm, Message } from "./messages";

export interface Listener { message(m: Message): void; link(open: boolean): void; alarm(a: Alarm): void }

export function connect(to: Listener): void {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  let wait = 250;
  const open = (): void => {
    const socket = new WebSocket(`${scheme}://${location.host}/live`);
    socket.onopen = () => { wait = 250; to.link(true); };
    socket.onmessage = (event: MessageEvent<string>) => {
      const message = JSON.parse(event.data) as Message;
      to.message(message);
      if (message.type === "state") socket.send(JSON.stringify({ ack: message.n }));
    };
    socket.onclose = () => {
      to.link(false);
      setTimeout(open, wait);
      wait = Math.min(wait * 2, 4000);
    };
  };
  open();
  // The browser sends Last-Event-ID by itself when it comes back, so no alarm is missed.
  const alarms = new EventSource("/alarms");
  alarms.onmessage = (event: MessageEvent<string>) => to.alarm(JSON.parse(event.data) as Alarm);
}
