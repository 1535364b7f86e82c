# frozen_string_literal: true

# What the form may fill in; the client has its own list in public/js/fields.js.
module Dossier::Fields
  ALL = %i[nom prenom naissance motif requerant examen].freeze
end
