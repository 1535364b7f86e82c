# frozen_string_literal: true

namespace :attachments do
  desc "Remove the files that no dossier has named for a day"
  task prune: :environment do
    puts "#{AttachmentStore.prune} file(s) removed"
  end
end
