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
  let run = null, frames = [], at = 0, playing = 0, speaking = 0;

  function choose(next) {
    run = next;
    frames = all(".frame", run);
    for (const each of runs) {
      each.hidden = each !== run;
      each.open = true;
      each.classList.toggle("on", each === run);
    }
    for (const pick of picks) pick.value = run.dataset[pick.dataset.pick];
    at = Math.min(at, frames.length - 1);
  }

  function draw() {
    const hadFocus = frames.some((frame) => frame.contains(document.activeElement));
    frames.forEach((frame, k) => { frame.hidden = k !== at; });
    all("details", frames[at]).forEach((fold, k) => { fold.open = Boolean(unfolded[k]); });
    slider.max = frames.length;
    slider.value = at + 1;
    slider.setAttribute("aria-valuetext", one(".head", frames[at]).textContent);
    const ends = { first: 0, back: 0, next: frames.length - 1, last: frames.length - 1 };
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
    at = Math.max(0, Math.min(frames.length - 1, to));
    draw();
    history.replaceState(null, "", "#" + encodeURIComponent(frames[at].id));
  }

  function pause() {
    clearTimeout(playing);
    playing = 0;
    playButton.textContent = root.dataset.play;
  }

  function play() {
    if (at === frames.length - 1) at = 0;
    draw();
    playButton.textContent = root.dataset.pause;
    playing = setTimeout(playOn, PACE);
  }

  function playOn() {
    at += 1;
    draw();
    if (at < frames.length - 1) {
      playing = setTimeout(playOn, PACE);
    } else {
      move(at);
      speak(0);
    }
  }

  const go = {
    first: () => move(0),
    back: () => move(at - 1),
    next: () => move(at + 1),
    last: () => move(frames.length - 1),
    play: () => (playing ? move(at) : play()),
  };

  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-go]");
    if (!button || button.getAttribute("aria-disabled") === "true") return;
    go[button.dataset.go]();
    if (!playing) speak(QUIET);
  });

  root.addEventListener("keydown", (event) => {  // only while the focus is inside
    if (event.target.matches("input, select") || event.altKey || event.ctrlKey || event.metaKey) return;
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
      const wanted = Object.fromEntries(picks.map((each) => [each.dataset.pick, each.value]));
      const fits = (each, names) => names.every((name) => each.dataset[name] === wanted[name]);
      choose(runs.find((each) => fits(each, Object.keys(wanted)))
        ?? runs.find((each) => fits(each, [pick.dataset.pick])));
      move(at);
    });
  }

  root.addEventListener("toggle", (event) => {  // does not bubble: caught on its way down
    const k = frames[at] ? all("details", frames[at]).indexOf(event.target) : -1;
    if (k >= 0) unfolded[k] = event.target.open;
  }, true);

  document.addEventListener("visibilitychange", () => {
    if (document.hidden && playing) pause();
  });

  function follow() {  // the address may point at one step
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || !root.contains(target) || !target.matches(".frame")) return false;
    pause();
    choose(target.closest(".run"));
    at = frames.indexOf(target);
    draw();
    root.scrollIntoView();
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

document.querySelectorAll(".stepper").forEach(start);
