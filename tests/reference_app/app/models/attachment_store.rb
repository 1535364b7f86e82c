# frozen_string_literal: true

# Attachments on disk, named by their content: storage/<2 hex>/<sha256>.
module AttachmentStore
  ROOT = Rails.root.join("storage")
  LOCK = 20_260_901
  CHUNK = 1 << 16

  module_function

  def relative(sha256) = File.join("storage", sha256[0, 2], sha256)

  def path(sha256) = ROOT.join(sha256[0, 2], sha256)

  def intact?(sha256) = path(sha256).file? && Digest::SHA256.file(path(sha256)).hexdigest == sha256

  # Durable when it returns: the content, then its name.
  def write(input)
    incoming = ROOT.join("incoming-#{SecureRandom.hex(8)}")
    sha256, size = copy(input, incoming)
    target = path(sha256)
    FileUtils.mkdir_p(target.dirname)
    File.rename(incoming, target)
    [target.dirname, ROOT].each { |directory| File.open(directory, &:fsync) }
    [sha256, size]
  ensure
    FileUtils.rm_f(incoming)
  end

  def copy(input, target)
    digest = Digest::SHA256.new
    File.open(target, File::WRONLY | File::CREAT | File::EXCL, 0o640) do |output|
      output.binmode
      while (chunk = input.read(CHUNK))
        digest << chunk
        output.write(chunk)
      end
      output.fsync
      [digest.hexdigest, output.size]
    end
  end

  # Until the end of the transaction, nothing is pruned.
  def hold = ApplicationRecord.connection.execute("SELECT pg_advisory_xact_lock_shared(#{LOCK})")

  # Removes what no row has named for a day.
  def prune(before: 1.day.ago)
    ApplicationRecord.transaction do
      ApplicationRecord.connection.execute("SELECT pg_advisory_xact_lock(#{LOCK})")
      ROOT.glob("{??/*,incoming-*}").count do |file|
        file.mtime < before && !Attachment.exists?(sha256: file.basename.to_s) && file.delete
      end
    end
  end
end
