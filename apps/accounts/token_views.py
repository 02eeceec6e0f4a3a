"""`/accounts/tokens/`: a member's own view tokens, made, shown once, and revoked."""

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts import tokens
from apps.accounts.models import Member, ViewToken
from apps.accounts.viewer import viewer_of

LASTS = (("1", "1 day"), ("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("365", "1 year"))


class TokenForm(forms.Form):
    """What a new token is for. `layers` are those that the member may see."""

    name = forms.CharField(max_length=80, strip=True)
    layer = forms.ChoiceField(required=False)
    lasts = forms.ChoiceField(choices=LASTS, initial="30")

    def __init__(self, layers: list[str], data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.fields["layer"].choices = [("", "all that I may see"), *((layer, layer) for layer in layers)]  # type: ignore[attr-defined]


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def view_tokens(request: HttpRequest) -> HttpResponse:
    """List the member's tokens; a POST makes one and shows it in its answer, this once."""
    member = Member.objects.get(pk=request.user.pk or 0)
    layers = sorted({layer for layer, _, _ in viewer_of(member.pk).rights})
    form, made, at = TokenForm(layers, request.POST or None), None, timezone.now()
    if request.method == "POST" and form.is_valid():
        made, form = _made(member, form, layers)
    own = {"tokens": tokens.living(member=member, at=at), "made": made, "form": form, "layer_example": layers[0] if layers else ""}
    return render(request, "account/tokens.html", {**own, "origin": request.build_absolute_uri("/").rstrip("/")})


def _made(member: Member, form: TokenForm, layers: list[str]) -> tuple[tokens.NewToken | None, TokenForm]:
    """Return the new token and a form for the next, or none and the form with what was wrong."""
    at, said = timezone.now(), form.cleaned_data
    try:
        expires_at = at + timedelta(days=int(said["lasts"]))
        return tokens.make(member=member, name=said["name"], layer=said["layer"], expires_at=expires_at, at=at), TokenForm(layers)
    except tokens.BadToken as error:
        form.add_error(None, str(error))
        return None, form


@login_required
@require_POST
def revoke_view_token(request: HttpRequest, id: int) -> HttpResponse:
    """End one of the member's own tokens; another member's is not there."""
    token = get_object_or_404(ViewToken, pk=id, member_id=request.user.pk)
    tokens.revoke(token=token, at=timezone.now())
    messages.success(request, f"“{token.name}” is revoked.")
    return redirect("view_tokens")
