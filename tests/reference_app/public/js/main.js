// Chooses the page from the address, without reloading.

import { api } from "./api.js";
import { h } from "./dom.js";
import { detail, list, login } from "./pages.js";

const main = document.querySelector("#main");
let user = null;

async function page() {
  if (!user) return login(enter);
  const [, id] = location.pathname.match(/^\/dossiers\/(\w+)$/) ?? [];
  if (id === "nouveau") return (await import("./creation.js")).creation(go);
  return id ? detail(go, id) : list();
}

async function draw() {
  try {
    const [title, ...elements] = await page();
    document.title = `${title} – Filaé`;
    document.querySelector("#announce").textContent = title;
    main.replaceChildren(...elements);
  } catch (refusal) {
    if (refusal.status === 401) return leave();
    main.replaceChildren(h("p", { class: "error", role: "alert" }, refusal.message));
  }
  account();
  main.focus();
}

function account() {
  const out = () => api("DELETE", "session").then(leave, leave);
  document.querySelector("#account").replaceChildren(
    ...(user ? [h("span", {}, user.name), h("button", { class: "plain", onclick: out }, "Se déconnecter")] : []));
}

async function go(path) {
  history.pushState(null, "", path);
  await draw();
}

async function enter(someone) {
  user = someone;
  await draw();
}

async function leave() {
  user = null;
  await draw();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (!link || !plain || link.hasAttribute("download") || link.hash || link.origin !== location.origin) return;
  event.preventDefault();
  go(link.pathname);
});
addEventListener("popstate", draw);

api("GET", "health")
  .then(({ version }) => { document.querySelector("#version").textContent = `Version ${version}`; })
  .catch(() => {});
({ user } = await api("GET", "session").catch(() => ({ user: null })));
await draw();
