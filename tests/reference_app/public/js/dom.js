// Builds elements; text is always text, never HTML.

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null));
  return element;
}

// A form that says why it was refused, and cannot be sent twice.
export function form(children, label, send) {
  const error = h("p", { class: "error", role: "alert" });
  const button = h("button", {}, label);
  const submit = async (event) => {
    event.preventDefault();
    error.textContent = "";
    button.disabled = true;
    try {
      await send(new FormData(event.target));
    } catch (refusal) {
      error.textContent = refusal.message;
    } finally {
      button.disabled = false;
    }
  };
  return h("form", { onsubmit: submit }, children, error, h("div", {}, button));
}

const day = new Intl.DateTimeFormat("fr-FR", { dateStyle: "long" });
const moment = new Intl.DateTimeFormat("fr-FR", { dateStyle: "short", timeStyle: "short", timeZone: "Europe/Paris" });
const number = new Intl.NumberFormat("fr-FR", { maximumFractionDigits: 1 });

export const showDay = (text) => day.format(new Date(`${text}T12:00:00`));
export const showMoment = (text) => moment.format(new Date(text));
export const showSize = (bytes) => {
  const [size, unit] = bytes < 1e3 ? [bytes, "o"] : bytes < 1e6 ? [bytes / 1e3, "ko"] : [bytes / 1e6, "Mo"];
  return `${number.format(size)}\u00a0${unit}`;
};
