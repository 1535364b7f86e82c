"""What may be chosen before anything is written: the hosting models, and the mark of what nobody said yet.

Apart from the model, so that the command line can name them without loading it.
"""

from __future__ import annotations

TO_FILL = "a-renseigner"
MODELS = {
    "internal": "L'établissement héberge et administre lui-même.",
    "internal_infogere": "L'établissement héberge ; un infogérant administre.",
    "internal_vendor_admin": "Machine virtuelle de l'hôpital, système administré par le prestataire.",
    "ght": "Un autre établissement du groupement (GHT) héberge.",
    "hds_host": "Hébergeur certifié HDS.",
    "third_party": "Autre tiers : l'hébergement de données de santé y demande un certificat HDS.",
}
