# frozen_string_literal: true

class Dossier < ApplicationRecord
  belongs_to :author, class_name: "User"
  has_many :attachments, -> { order(:id) }, inverse_of: :dossier

  validates :nom, :prenom, :motif, :requerant, :examen, presence: { message: "est obligatoire" }

  # A technical account sees its own dossiers only, and nobody else sees them.
  scope :visible_to, lambda { |user|
    user.technical? ? where(author: user) : where.not(author: User.where(technical: true))
  }
  scope :latest, -> { includes(:author).order(id: :desc).limit(100) }

  def numero = format("%<year>d-%<id>05d", year: created_at.year, id:)

  def as_json(*)
    { id:, numero:, author: author.name, created_at:, **Fields::ALL.index_with { |name| public_send(name) } }
  end
end
