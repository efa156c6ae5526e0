// The live page's program: asks for what has changed, and puts it in place.

/** Milliseconds between questions. */
const PAUSE = 2000;

const live = document.getElementById("live");
const lost = document.getElementById("lost");
let version = "";

async function refresh() {
  try {
    const answer = await fetch("/live", { headers: { "if-none-match": version } });
    if (answer.status === 200) {
      live.innerHTML = await answer.text();
      version = answer.headers.get("etag") ?? "";
    }
    lost.hidden = answer.ok || answer.status === 304;
  } catch {
    lost.hidden = false;
  }
}

async function follow() {
  if (!document.hidden) await refresh();
  setTimeout(follow, PAUSE);
}

document.addEventListener("visibilitychange", () => document.hidden || refresh());
follow();
