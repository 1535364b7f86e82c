# frozen_string_literal: true

threads 3, 5
bind_to_activated_sockets "only"
