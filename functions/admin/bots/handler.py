"""The Lambda of `/api/accounts/{account_id}/bots`, `/api/bots/{id}`, and the settings of a bot."""

from __future__ import annotations

from functions.admin.bots.connections import Connections
from functions.admin.bots.deleting import Deleting
from functions.admin.bots.main_systems import MainSystems
from functions.admin.bots.routes import router
from shared import aws
from shared.admin_api.app import Guard, create_app, lambda_handler_of
from shared.admin_api.outside import Outside
from shared.connecting.registrar import Registrar
from shared.guard import Guard as Addresses
from shared.queueing.producer import SqsDeletions, SqsSyncs
from shared.settings import AdminSettings, BotsAdminSettings
from shared.storage.bot_settings import DynamoBotSettings
from shared.storage.bots import DynamoBots
from shared.storage.credentials import DynamoCredentials
from shared.storage.refusals import DynamoRefusals
from shared.storage.scenarios import DynamoScenarios
from shared.storage.sealing import KmsSealer
from shared.storage.usage import DynamoUsage

_settings = BotsAdminSettings.from_environment()
_bots = DynamoBots()
_credentials = DynamoCredentials(aws.client("kms"))
_deletions = SqsDeletions(aws.client("sqs"), _settings.deletions_queue_url)
_syncs = SqsSyncs(aws.client("sqs"), _settings.syncs_queue_url)
_sealer = KmsSealer(lambda: aws.client("kms"), _settings.settings_key_id)
_bot_settings = DynamoBotSettings(_sealer)
_outside = Outside(Addresses(_settings.private_hosts))

app = create_app(
    router,
    Guard.of(AdminSettings.from_environment()),
    bots=_bots,
    deleting=Deleting(_bots, _deletions),
    switching=Connections(_credentials, Registrar(_settings, _credentials)),
    public_url=_settings.public_url,
    settings=_bot_settings,
    usage=DynamoUsage(),
    outside=_outside,
    syncs=_syncs,
    refusals=DynamoRefusals(_sealer),
    main_systems=MainSystems(_bot_settings, _bots, DynamoScenarios(), _syncs, _outside),
)
lambda_handler = lambda_handler_of(app)
