// The form of a dossier, in order; `list` fields are columns of the list.

export const FIELDS = [
  { name: "nom", label: "Nom", required: true, list: true },
  { name: "prenom", label: "Prénom", required: true, list: true },
  { name: "naissance", label: "Date de naissance", type: "date" },
  { name: "examen", label: "Date de l’examen", type: "date", required: true, list: true },
  { name: "motif", label: "Motif", required: true, list: true,
    options: ["Coups et blessures", "Accident de la circulation", "Violences conjugales", "Garde à vue", "Autre"] },
  { name: "requerant", label: "Service requérant", required: true },
  { name: "urgence", label: "Urgence", type: "checkbox", list: true },
];
