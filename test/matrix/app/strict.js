// The same app on a page that forbids `blob:` workers: the one line more that it takes.
import "./worker-url.js";
import "./main.js";
