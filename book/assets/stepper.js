// Steps through frames that are already in the page. Without this script they are there to read,
// one below the other. It knows nothing of what the frames show, and has no words of its own.

"use strict";

const PACE = 1500;  // milliseconds a frame while playing
const QUIET = 500;  // milliseconds without a move before the frame is spoken

function start(root) {
  const all = (selector, within = root) => [...within.querySelectorAll(selector)];
  const one = (selector, within = root) => within.querySelector(selector);
  const slider = one(".slide input"), status = one("[role=status]");
  const playButton = one("[data-go=play]"), picks = all("[data-pick]");
  const runs = all(".run");
  const unfolded = [];  // which of a frame's folded parts are open: it stays so from step to step
  let run = null, frames = [], at = 0, last = 0, playing = 0, speaking = 0;

  function choose(next) {
    run = next;
    last = run.dataset.steps - 1;
    at = Math.min(at, last);
    for (const each of runs) {
      each.hidden = each !== run;
      each.open = true;
      each.classList.toggle("on", each === run);
    }
    for (const pick of picks) pick.value = run.dataset[pick.dataset.pick];
    frames = all(".frame", run);
    slider.max = last + 1;
  }

  function unseal() {  // frames that nobody has asked for yet are a text
    const sealed = one("noscript", run);
    if (!sealed) return;
    sealed.outerHTML = sealed.textContent;
    frames = all(".frame", run);
  }

  function draw() {
    if (at >= frames.length) unseal();
    const hadFocus = frames.some((frame) => frame.contains(document.activeElement));
    frames.forEach((frame, k) => { frame.hidden = k !== at; });
    all("details", frames[at]).forEach((fold, k) => { fold.open = Boolean(unfolded[k]); });
    slider.value = at + 1;
    slider.setAttribute("aria-valuetext", one(".head", frames[at]).textContent);
    const ends = { first: 0, back: 0, next: last, last };
    for (const [go, end] of Object.entries(ends)) {
      one(`[data-go=${go}]`).setAttribute("aria-disabled", at === end);  // and keep the focus
    }
    if (hadFocus) (one("summary", frames[at]) ?? playButton).focus();
  }

  function speak(delay) {
    clearTimeout(speaking);
    speaking = setTimeout(() => {
      status.textContent = one(".says", frames[at]).textContent;
    }, delay);
  }

  function move(to) {
    pause();
    at = Math.max(0, Math.min(last, to));
    draw();
    history.replaceState(null, "", "#" + encodeURI(frames[at].id));
  }

  function play() {
    if (at === last) at = 0;
    draw();
    playButton.textContent = root.dataset.pause;
    playing = setTimeout(playOn, PACE);
  }

  function playOn() {
    at += 1;
    draw();
    if (at < last) {
      playing = setTimeout(playOn, PACE);
    } else {
      move(at);
      speak(0);
    }
  }

  function pause() {
    clearTimeout(playing);
    playing = 0;
    playButton.textContent = root.dataset.play;
  }

  const go = {
    first: () => move(0),
    back: () => move(at - 1),
    next: () => move(at + 1),
    last: () => move(last),
    play: () => (playing ? move(at) : play()),
  };

  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-go]");
    if (!button || button.getAttribute("aria-disabled") === "true") return;
    go[button.dataset.go]();
    if (!playing) speak(QUIET);
  });

  root.addEventListener("keydown", (event) => {  // only while the focus is inside
    if (event.target.matches("input, select")) return;
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const name = { ArrowRight: "next", ArrowLeft: "back", Home: "first", End: "last" }[event.key];
    if (!name) return;
    event.preventDefault();
    event.stopPropagation();  // the theme turns the page on arrow keys
    go[name]();
    speak(QUIET);
  });

  slider.addEventListener("input", () => move(slider.value - 1));  // it speaks for itself

  for (const pick of picks) {
    pick.addEventListener("change", () => {
      const wanted = picks.map((each) => [each.dataset.pick, each.value]);
      const fits = (each, pairs) => pairs.every(([name, value]) => each.dataset[name] === value);
      const changed = [[pick.dataset.pick, pick.value]];
      choose(runs.find((each) => fits(each, wanted)) ?? runs.find((each) => fits(each, changed)));
      move(at);
    });
  }

  root.addEventListener("toggle", (event) => {  // does not bubble: caught on its way down
    const k = frames[at] ? all("details", frames[at]).indexOf(event.target) : -1;
    if (k >= 0) unfolded[k] = event.target.open;
  }, true);

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) pause();
  });

  window.addEventListener("beforeprint", () => {  // on paper, all steps of the run
    unseal();
    draw();
  });

  function follow() {  // the address may point at one step
    const [, asked, step] = location.hash.match(/^#(.*)-(\d+)$/) ?? [];
    const target = runs.find(({ dataset: { link } }) =>
      [link, encodeURI(link), encodeURIComponent(link)].includes(asked));
    if (!target) return false;
    pause();
    choose(target);
    at = Math.max(0, Math.min(last, step - 1));
    draw();
    frames[at].scrollIntoView();
    return true;
  }

  window.addEventListener("hashchange", follow);
  root.classList.add("live");
  for (const controls of all(".controls")) controls.hidden = !controls.firstElementChild;
  if (!follow()) {
    choose(runs[0]);
    draw();
  }
}

function startAll() {  // those that are complete: the status is the last thing in a stepper
  document.querySelectorAll(".stepper:not(.live):has(> [role=status])").forEach(start);
}

startAll();
if (document.readyState === "loading") {  // a slow phone may need seconds for all of the page
  const arrivals = new MutationObserver(startAll);
  arrivals.observe(document, { childList: true, subtree: true });
  document.addEventListener("DOMContentLoaded", () => {
    arrivals.disconnect();
    startAll();
  });
}
