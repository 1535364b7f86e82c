# frozen_string_literal: true

class CreateFilae < ActiveRecord::Migration[7.2]
  def change
    create_users
    create_dossiers
    create_attachments
    create_jobs
  end

  private

  def create_users
    create_table :users do |t|
      t.string :login, null: false, index: { unique: true }
      t.string :name, :password_digest, null: false
      t.boolean :technical, null: false, default: false, comment: "sees nothing but what it created"
      t.timestamps
    end
  end

  def create_dossiers
    create_table :dossiers do |t|
      t.references :author, null: false, foreign_key: { to_table: :users }
      t.string :nom, :prenom, :motif, :requerant, null: false
      t.date :naissance
      t.date :examen, null: false
      t.timestamps
    end
  end

  def create_attachments
    create_table :attachments do |t|
      t.references :dossier, null: false, foreign_key: { on_delete: :cascade }
      t.string :name, :content_type, null: false
      t.string :sha256, null: false, limit: 64, index: true
      t.bigint :size, null: false
      t.datetime :verified_at
      t.timestamps
    end
  end

  # The table that delayed_job expects.
  def create_jobs
    create_table :delayed_jobs do |t|
      t.integer :priority, :attempts, null: false, default: 0
      t.text :handler, null: false
      t.text :last_error
      t.datetime :run_at, :locked_at, :failed_at
      t.string :locked_by, :queue
      t.timestamps
      t.index %i[priority run_at]
    end
  end
end
