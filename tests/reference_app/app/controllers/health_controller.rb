# frozen_string_literal: true

# Asks the database for its schema, and the file store whether it can be written.
class HealthController < ApplicationController
  skip_before_action :authenticate

  EXPECTED = Rails.root.glob("db/migrate/*.rb").map { |file| file.basename.to_s.to_i }.max

  def show
    schema = ActiveRecord::Base.connection.select_value("SELECT max(version::numeric) FROM schema_migrations").to_i
    trouble = trouble_with(schema)
    render json: { status: trouble || "ok", version: Filae::VERSION, schema: schema.to_s }, status: trouble ? 503 : 200
  rescue ActiveRecord::ActiveRecordError => e
    logger.error("health: #{e.class}")
    render json: { status: "database", version: Filae::VERSION, schema: nil }, status: :service_unavailable
  end

  private

  # A newer schema is fine: releases only widen it.
  def trouble_with(schema)
    return "schema" if schema < EXPECTED

    "storage" unless AttachmentStore::ROOT.writable?
  end
end
