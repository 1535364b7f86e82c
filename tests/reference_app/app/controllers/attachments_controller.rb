# frozen_string_literal: true

class AttachmentsController < ApplicationController
  def show
    attachment = Attachment.where(dossier: Dossier.visible_to(current_user)).find(params[:id])
    send_file AttachmentStore.path(attachment.sha256), filename: attachment.name, type: attachment.content_type
  end

  def create
    upload = params.require(:file)
    return refuse(:bad_request, "Un fichier est attendu.") unless upload.is_a?(ActionDispatch::Http::UploadedFile)

    dossier = Dossier.visible_to(current_user).find(params[:dossier_id])
    render json: { attachment: dossier.attachments.receive(upload) }, status: :created
  end
end
