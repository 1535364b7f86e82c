// Calls the server; a refusal becomes an error in French.

export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export async function api(method, path, data) {
  const options = { method, headers: { Accept: "application/json", "X-Requested-With": "filae" } };
  if (data instanceof FormData) options.body = data;
  else if (data) {
    options.body = JSON.stringify(data);
    options.headers["Content-Type"] = "application/json";
  }
  const response = await fetch(`/api/${path}`, options).catch(() => {
    throw new Refusal(0, "Le serveur ne répond pas. Réessayez dans un instant.");
  });
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(response.status, explain(response.status, answer));
  return answer;
}

function explain(status, { error, errors }) {
  if (errors) return Object.entries(errors).map(([name, texts]) => `${name} ${texts.join(", ")}`).join("\u202f; ");
  if (status === 413) return "Ce fichier est trop volumineux.";
  if (status >= 500) return "Le service est momentanément indisponible.";
  return error ?? "La demande a été refusée.";
}
