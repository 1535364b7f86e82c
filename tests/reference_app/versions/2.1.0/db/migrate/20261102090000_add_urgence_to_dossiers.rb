# frozen_string_literal: true

class AddUrgenceToDossiers < ActiveRecord::Migration[7.2]
  def change
    add_column :dossiers, :urgence, :boolean, null: false, default: false
  end
end
