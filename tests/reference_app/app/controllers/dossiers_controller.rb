# frozen_string_literal: true

class DossiersController < ApplicationController
  def index = render(json: { dossiers: Dossier.visible_to(current_user).latest })

  def show
    dossier = Dossier.visible_to(current_user).find(params[:id])
    render json: { dossier: dossier.as_json.merge(attachments: dossier.attachments) }
  end

  def create
    dossier = current_user.dossiers.create!(params.permit(*Dossier::Fields::ALL))
    render json: { dossier: }, status: :created
  end

  def destroy
    current_user.dossiers.find(params[:id]).destroy!
    head :no_content
  end
end
