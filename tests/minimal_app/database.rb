# frozen_string_literal: true

require "pg"

# One connection per thread, opened again when it was lost.
module Database
  def self.exec(sql, values = [])
    connection.exec_params(sql, values)
  rescue PG::ConnectionBad, PG::UnableToSend
    Thread.current[:database] = nil
    raise
  end

  def self.connection
    Thread.current[:database] ||= PG.connect(ENV.fetch("DATABASE_URL"), connect_timeout: 3)
  end
end
