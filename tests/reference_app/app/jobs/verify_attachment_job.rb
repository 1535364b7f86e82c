# frozen_string_literal: true

# Reads the file back, and dates the proof.
VerifyAttachmentJob = Struct.new(:attachment_id) do
  def perform
    attachment = Attachment.find_by(id: attachment_id) or return
    raise "attachment #{attachment_id} is missing or altered" unless AttachmentStore.intact?(attachment.sha256)

    attachment.update!(verified_at: Time.current)
  end
end
