# frozen_string_literal: true

class SessionsController < ApplicationController
  skip_before_action :authenticate

  def show = render(json: { user: current_user })

  def create
    user = User.authenticate_by(params.permit(:login, :password).to_h.symbolize_keys)
    return refuse(:unauthorized, "Identifiant ou mot de passe incorrect.") unless user

    reset_session
    session[:user_id] = user.id
    render json: { user: }
  end

  def destroy
    reset_session
    head :no_content
  end
end
