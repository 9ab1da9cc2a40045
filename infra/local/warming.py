from concurrent.futures import ThreadPoolExecutor

from infra.local.deployment import physical_id
from infra.local.emulator import Emulator

WORKERS = ("DialogWorker", "RelayWorker", "ReceiptsWorker", "SenderWorker", "TasksWorker")


def warm_workers(emulator: Emulator) -> None:
    """Call the workers with nothing to do, so that the first answer does not wait for their cold start."""
    client = emulator.client("lambda")
    with ThreadPoolExecutor(len(WORKERS)) as pool:
        for worker in WORKERS:
            name = physical_id(emulator, worker)
            pool.submit(client.invoke, FunctionName=name, Payload=b'{"Records": []}')
