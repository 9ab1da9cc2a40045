import json
import secrets
import threading
from dataclasses import asdict
from pathlib import Path

import httpx

from infra.local import building, deployment, seeding
from infra.local.admin_api import DEMO_ACCOUNT_ID, AdminApi, admin_token
from infra.local.commands import REGION
from infra.local.deployment import Deployment
from infra.local.emulator import Emulator
from infra.local.gaps import (
    allow_as_asked,
    allow_plain_http,
    api_id,
    bound_by_numbers,
    connect_routes,
    deployed_routes,
)
from infra.local.keeping import kept_port, kept_secret, write_secret
from infra.local.lock import StateLock
from infra.local.main_system import Access, RunningMainSystem
from infra.local.ports import reserve
from infra.local.preflight import Preflights
from infra.local.progress import Say, say_nothing, step
from infra.local.proxy import Gateway
from infra.local.running import RunInfo, SeededBot
from infra.local.serving import Server
from infra.local.settings import Settings
from infra.local.warming import warm_workers


class EmbeddedParley:
    """Parley deployed to an emulated AWS, with all its state in one folder.

    `make run` and the tests of the deployment both use it: a context manager that gives its `RunInfo`.
    """

    def __init__(self, settings: Settings, tell: Say = say_nothing) -> None:
        self._settings = settings
        self._tell = tell
        self._state = settings.state_dir
        self._state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._logs = self._state / "logs"
        self._builds = self._state / "builds"
        self._lock = StateLock(self._state)
        self._proxy: Server | None = None
        self._main_system: RunningMainSystem | None = None
        self._emulator: Emulator | None = None

    def __enter__(self) -> RunInfo:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> RunInfo:
        self._lock.take(f"http://localhost:{self._settings.port}")
        try:
            return self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop in the order of dependence; the emulator writes its state at the end."""
        (self._state / "run.json").unlink(missing_ok=True)
        if self._proxy is not None:
            self._proxy.stop()
        if self._emulator is not None:
            self._emulator.stop()
        if self._main_system is not None:
            self._main_system.stop()
        self._lock.release()

    def ensure_running(self) -> None:
        self.emulator.ensure_running()

    @property
    def _api_url(self) -> str:
        return f"http://localhost:{self._settings.port}"

    @property
    def emulator(self) -> Emulator:
        assert self._emulator is not None, "not started"  # noqa: S101
        return self._emulator

    def _start(self) -> RunInfo:
        (self._state / "run.json").unlink(missing_ok=True)  # of a run that was killed
        self._proxy = Server("local gateway", reserve(self._settings.port))
        template = self._build()
        self._main_system = RunningMainSystem(self._state / "main-system", self._settings.port)
        self._main_system.start()
        with step(self._tell, "start the embedded AWS"):
            folder = self._state / "emulator"
            port = kept_port(self._state / "emulator-port", self._settings.port, (folder / "pid").exists)
            log = self._logs / "emulator.log"
            self._emulator = Emulator(folder, port, log, PARLEY_BUILDS=str(self._builds))
            self._emulator.start()
        secret = kept_secret(self._state / "jwt-secret", lambda: secrets.token_urlsafe(48))
        self._deploy(template, secret, self._main_system.access)
        self._proxy.start(self._gateway().app)
        with step(self._tell, "set up the demo bots"):
            info = self._seed(secret, self._main_system.access)
        self._publish(info)
        return info

    def _gateway(self) -> Gateway:
        preflights = Preflights(self.emulator, deployed_routes(self.emulator))
        return Gateway(api_id(self.emulator), self.emulator.port, preflights)

    def _build(self) -> Path:
        if not building.is_built():
            with step(self._tell, "build with the SAM CLI"):
                building.build(self._logs / "build.log")
        return building.take_over(self._builds)

    def _deploy(self, template: Path, secret: str, main_system: Access) -> None:
        """Deploy, unless the same template stands there with the same code and parameters."""
        record = self._state / "deployed.json"
        digest = building.digest_of_sources()
        private_hosts = self._settings.private_hosts(main_system.url)
        given = {"PublicUrl": self._api_url, **self._settings.parameters, "PrivateHosts": private_hosts}
        parameters = deployment.parameters_of(template, given)
        before = Deployment.load(record)
        if before and before == Deployment(digest, parameters, deployment.stack_id(self.emulator) or ""):
            return
        record.unlink(missing_ok=True)
        with step(self._tell, "deploy template.yaml with the SAM CLI"):
            deployment.store_jwt_secret(self.emulator, secret)
            stack = deployment.deploy(self.emulator, template, parameters, self._logs / "deploy.log")
        with step(self._tell, "connect the API's routes"):
            connect_routes(self.emulator)
            allow_as_asked(self.emulator)
            allow_plain_http(self.emulator)
            bound_by_numbers(self.emulator)
        Deployment(digest, parameters, stack).save(record)
        # Ten thousand files may take a busy disk half a minute, and nobody waits for that.
        threading.Thread(target=building.forget_others, args=(template,), daemon=True).start()

    def _seed(self, secret: str, main_system: Access) -> RunInfo:
        api_url = self._api_url
        token = admin_token(secret)
        record = self._state / "seed.json"
        warming = threading.Thread(target=warm_workers, args=(self.emulator,))
        warming.start()
        outside = seeding.Outside(main_system, self._settings.model)
        with AdminApi(f"http://127.0.0.1:{self._settings.port}", token) as api:
            seeds = seeding.seed_all(api, seeding.load(record), outside)
        warming.join()
        seeding.save(seeds, record)
        bots = [SeededBot(each.bot_name, each.bot_id, f"{api_url}/chat/{each.bot_id}") for each in seeds]
        return RunInfo(
            api_url=api_url,
            chat_url=bots[0].chat_url,
            admin_token=token,
            jwt_secret=secret,
            account_id=DEMO_ACCOUNT_ID,
            bot_id=bots[0].bot_id,
            aws_endpoint_url=self.emulator.url,
            region=REGION,
            bots=bots,
            main_system_url=main_system.url.replace("127.0.0.1", "localhost"),
            bots_without_a_model=seeding.bots_without_a_model(seeds),
        )

    def _publish(self, info: RunInfo) -> None:
        httpx.get(info.chat_url, trust_env=False, timeout=60)  # so that a person's first call is warm
        write_secret(self._state / "run.json", json.dumps(asdict(info), indent=2))
