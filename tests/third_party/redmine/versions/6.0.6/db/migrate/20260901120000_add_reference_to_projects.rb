# frozen_string_literal: true

class AddReferenceToProjects < ActiveRecord::Migration[7.2]
  def change
    add_column :projects, :reference, :string
  end
end
