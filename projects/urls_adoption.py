"""What becomes of opinions, letters, hard questions and the worklist under /projects/."""

from django.urls import path

from projects.views import adoption, adoption_rates, desk, dispatches, questions

urlpatterns = [
    # What becomes of opinions.
    path("consultations/<int:pk>/adoption/", adoption.adoption_answer, name="adoption-answer"),
    path(
        "consultations/<int:pk>/withdraw-answered/", adoption.consultation_withdraw_answered,
        name="consultation-withdraw-answered",
    ),
    path("answers/<int:pk>/change/", adoption.answer_change, name="answer-change"),
    path("answers/<int:pk>/proof/", adoption.answer_proof, name="answer-proof"),
    path("proofs/<int:pk>/file/", adoption.proof_file, name="proof-file"),
    path("adoption/", adoption_rates.adoption_rates, name="adoption"),
    path("adoption/export/", adoption_rates.adoption_export, name="adoption-export"),
    path("adoption/items/", adoption_rates.ItemList.as_view(), name="adoption-items"),
    path("adoption/items/export/", adoption_rates.adoption_items_export, name="adoption-items-export"),
    path("adoption/<slug:code>/<int:part>/", adoption_rates.adoption_records, name="adoption-records"),
    # Letters that carry opinions.
    path("consultations/<int:pk>/dispatch/", dispatches.dispatch_create, name="dispatch-create"),
    path("dispatches/", dispatches.DispatchList.as_view(), name="dispatches"),
    path("dispatches/<int:pk>/", dispatches.dispatch_detail, name="dispatch"),
    path("dispatches/<int:pk>/number/", dispatches.dispatch_number, name="dispatch-number"),
    path("dispatches/<int:pk>/steps/<int:number>/", dispatches.dispatch_step, name="dispatch-step"),
    path("dispatches/<int:pk>/pdf/", dispatches.dispatch_pdf, name="dispatch-pdf"),
    path("dispatches/<int:pk>/download/", dispatches.dispatch_download, name="dispatch-download"),
    # Hard questions.
    path("questions/", questions.QuestionList.as_view(), name="questions"),
    path("questions/new/", questions.question_create, name="question-create"),
    path("questions/<int:pk>/", questions.question_detail, name="question"),
    path("questions/<int:pk>/answer/", questions.question_answer, name="question-answer"),
    path("questions/<int:pk>/withdraw/", questions.question_withdraw, name="question-withdraw"),
    path("questions/<int:pk>/reassign/", questions.question_reassign, name="question-reassign"),
    # What waits.
    path("desk/", desk.Desk.as_view(), name="desk"),
    path("desk/export/", desk.desk_export, name="desk-export"),
    path("desk/distribute/", desk.desk_distribute, name="desk-distribute"),
    path("desk/filters/", desk.filter_save, name="filter-save"),
    path("desk/filters/<int:pk>/delete/", desk.filter_delete, name="filter-delete"),
]  # fmt: skip
