# frozen_string_literal: true

# Secrets that systemd hands over as files.
module Credential
  def self.read(name)
    path = File.join(ENV.fetch("CREDENTIALS_DIRECTORY", "/nonexistent"), name)
    File.read(path).strip if File.file?(path)
  end

  def self.fetch(name)
    read(name) || abort("secret absent : #{name} (dans $CREDENTIALS_DIRECTORY)")
  end
end
