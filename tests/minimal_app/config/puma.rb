# frozen_string_literal: true

threads 5, 5

# systemd's socket, or a private one when started by hand: never a network address.
if ENV["LISTEN_FDS"]
  bind_to_activated_sockets "only"
else
  bind "unix://#{File.expand_path("../tmp/web.sock", __dir__)}?umask=0117"
end
