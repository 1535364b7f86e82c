# frozen_string_literal: true

# An issue with an attachment, as a person leaves it: `bin/rails runner` on the machine, beside the release.
author = User.find_by!(login: "admin")
issue = Issue.create!(project: Project.find("sonde"), tracker: Tracker.first, author: author, subject: "À conserver",
                      priority: IssuePriority.first, status: IssueStatus.first)
image = File.open(Rails.root.join("app/assets/images/fav.png"))
attachment = Attachment.create!(container: issue, file: image, filename: "à garder.png", author: author, content_type: "image/png")
puts "#{attachment.id} #{attachment.digest}"
