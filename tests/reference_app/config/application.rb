# frozen_string_literal: true

require_relative "boot"

require "rails"
require "active_record/railtie"
require "action_controller/railtie"
require "delayed_job_active_record"
require_relative "../lib/credential"

module Filae
  VERSION = File.read(File.expand_path("../VERSION", __dir__)).strip

  class Application < Rails::Application
    config.load_defaults 7.2
    config.api_only = true
    config.enable_reloading = false
    config.eager_load = !defined?(Puma).nil? # commands are short: they load what they use
    config.time_zone = "UTC"

    # No patient's data in the logs: neither parameters, nor the message of a refused request.
    config.logger = ActiveSupport::Logger.new($stdout)
    config.log_level = ENV.fetch("LOG_LEVEL", "warn")
    config.filter_parameters = [/./]
    config.consider_all_requests_local = false
    config.action_dispatch.log_rescued_responses = false

    # The queue answers within a second.
    config.after_initialize { Delayed::Worker.sleep_delay = 1 }

    # A column added by the next release must not invalidate the statements of this one.
    config.active_record.enumerate_columns_in_select_statements = true

    # Only nginx, which speaks TLS, and the machine itself reach the socket.
    config.assume_ssl = true
    config.secret_key_base = Credential.read("secret_key_base")
    config.session_store :cookie_store, key: "filae", secure: true, same_site: :strict, expire_after: 12.hours
    config.middleware.use ActionDispatch::Cookies
    config.middleware.use config.session_store, config.session_options
    config.action_dispatch.default_headers = {
      "Cache-Control" => "no-store", "X-Content-Type-Options" => "nosniff", "X-Filae-Version" => VERSION
    }
  end
end
