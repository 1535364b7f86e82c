# frozen_string_literal: true

threads 5, 5

# systemd's socket, or a private one when started by hand: never a network address.
if ENV["LISTEN_FDS"]
  bind_to_activated_sockets "only"
else
  bind "unix://#{File.expand_path("../tmp/web.sock", __dir__)}?umask=0117"
end

# Puma 6 can hang at the end of a graceful stop, every request answered: one thread writes to a pipe that another closes
# (puma/puma#3677). The end of the process closes it as well.
require "puma/server"
Puma::Server.prepend(Module.new do
  def handle_servers
    @notify.define_singleton_method(:close) {}
    super
  end
end)

# At a graceful stop it closes each connection that it accepted and from which it has read nothing yet: a request that is
# on its way would be lost. A new connection is read first; one that waits for its next request may be closed.
require "puma/client"
Puma::Client.prepend(Module.new do
  def can_close?
    super && @requests_served.positive?
  end
end)
