# frozen_string_literal: true

class ApplicationController < ActionController::API
  REASONS = { 400 => "La demande est illisible.", 404 => "Cet élément n’existe pas." }.freeze

  before_action :refuse_forgery, :authenticate

  rescue_from(StandardError, with: :explain)
  rescue_from(ActiveRecord::RecordInvalid) do |error|
    render json: { errors: error.record.errors.to_hash }, status: :unprocessable_entity
  end

  rescue_from(ActiveRecord::ConnectionNotEstablished, ActiveRecord::ConnectionFailed) do |error|
    logger.error(error.class.to_s)
    refuse(:service_unavailable, "La base de données ne répond pas.")
  end

  private

  def authenticate = current_user || refuse(:unauthorized, "Connectez-vous.")

  def current_user = @current_user ||= User.find_by(id: session[:user_id])

  # A page of another site can send neither the cookie (SameSite) nor this header (no CORS).
  def refuse_forgery
    return if request.get? || request.head? || request.headers["X-Requested-With"] == "filae"

    refuse(:forbidden, "L’en-tête X-Requested-With manque.")
  end

  # A message may hold a patient's data: only the class and the place are logged.
  def explain(error)
    status = ActionDispatch::ExceptionWrapper.status_code_for_exception(error.class.name)
    logger.error("#{error.class} at #{error.backtrace&.first}") if status >= 500
    refuse(status, REASONS.fetch(status, "La demande n’a pas pu aboutir."))
  end

  def refuse(status, message) = render(json: { error: message }, status:)
end
