# frozen_string_literal: true

# One instance, as Redmine's authors ship it: its root is the release.
module Redmine
  class MultiTenancy
  end

  class << self
    def tenant? = false
    def tenant = nil
    def root = Rails.root
  end
end
