/** A bare page for the browser test: a heart and its resting frame, driven from outside. */
import { restingFrame } from "./frame";
import { createHeart } from "./heart";

Object.assign(window, { heart: createHeart(document.querySelector("canvas")!), frame: restingFrame() });
