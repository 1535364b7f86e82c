# frozen_string_literal: true

Rails.application.routes.draw do
  scope "/api", format: false, defaults: { format: "json" } do
    get "health", to: "health#show"
    resource :session, only: %i[show create destroy]
    resources :dossiers, only: %i[index show create destroy] do
      resources :attachments, only: :create
    end
    resources :attachments, only: :show
  end
end
