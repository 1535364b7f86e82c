# frozen_string_literal: true

require "json"
require_relative "database"

# Keeps short texts: POST /records, GET /records, GET /records/ID; GET /health. Each answer names the release.
class App
  ROOT = __dir__
  VERSION = File.read("#{ROOT}/VERSION").strip
  SCHEMA = Dir.children("#{ROOT}/db").map(&:to_i).max
  LIMIT = 10_000

  def call(env)
    case env.values_at("REQUEST_METHOD", "PATH_INFO")
    in ["GET", "/health"] then health
    in ["GET", "/records"] then list
    in ["GET", %r{\A/records/(\d{1,18})\z}] then show(env["PATH_INFO"].delete_prefix("/records/"))
    in ["POST", "/records"] then create(env["rack.input"].read(LIMIT).to_s)
    else answer(404, error: "not found")
    end
  rescue PG::Error => e
    warn "#{e.class} at #{e.backtrace.first}"
    answer(503, error: "database")
  end

  private

  def health
    schema = Database.exec("SELECT max(version::numeric)::text FROM schema_migrations").getvalue(0, 0)
    ready = schema.to_i >= SCHEMA
    answer(ready ? 200 : 503, status: ready ? "ok" : "schema", version: VERSION, schema:)
  end

  def list
    records = Database.exec("SELECT id, text FROM records ORDER BY id")
    answer(200, records: records.map { |record| { id: record["id"].to_i, text: record["text"] } })
  end

  def show(id)
    text = Database.exec("SELECT text FROM records WHERE id = $1", [id]).column_values(0).first
    text ? answer(200, id: id.to_i, text:) : answer(404, error: "not found")
  end

  def create(body)
    text = JSON.parse(body).fetch("text").to_str
    id = Database.exec("INSERT INTO records (text) VALUES ($1) RETURNING id", [text]).getvalue(0, 0).to_i
    answer(201, id:, text:)
  rescue JSON::ParserError, KeyError, NoMethodError, TypeError
    answer(400, error: "expected {\"text\": \"...\"}")
  end

  def answer(status, body)
    [status, { "content-type" => "application/json", "x-app-version" => VERSION }, [JSON.generate(body)]]
  end
end
