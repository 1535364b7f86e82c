# frozen_string_literal: true

class User < ApplicationRecord
  has_secure_password
  has_many :dossiers, foreign_key: :author_id, inverse_of: :author

  validates :login, :name, presence: true

  def as_json(*) = { login:, name: }
end
