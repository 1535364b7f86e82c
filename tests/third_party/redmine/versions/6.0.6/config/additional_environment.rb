# frozen_string_literal: true

# This version says which one it is.
config.action_dispatch.default_headers = config.action_dispatch.default_headers.merge("X-App-Version" => "6.0.6")
