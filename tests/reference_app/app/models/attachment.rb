# frozen_string_literal: true

class Attachment < ApplicationRecord
  belongs_to :dossier

  # Writes the file, then its row; the worker reads the file again.
  def self.receive(upload)
    transaction do
      AttachmentStore.hold
      sha256, size = AttachmentStore.write(upload)
      create!(name: upload.original_filename, content_type: upload.content_type.presence || "application/octet-stream",
              sha256:, size:).tap { |attachment| Delayed::Job.enqueue(VerifyAttachmentJob.new(attachment.id)) }
    end
  end

  def as_json(*) = { id:, name:, content_type:, size:, sha256:, verified_at: }
end
