"""The bundle of each worker, sent over its control session: all that it is built from."""

from __future__ import annotations

from sk_control import BootstrapBundle, Hello

from sk_supervisor._plan.placement import workers_of
from sk_supervisor._plan.preflight import Prepared, application_spec, span_choices
from sk_supervisor._protocol.bundle import ChildBootstrapBundle, encode_bundle
from sk_supervisor._protocol.edges import EdgeKeys, client_edges
from sk_supervisor._protocol.link_limits import LinkLimits
from sk_supervisor._session.worker_directory import WorkerDirectory


class WorkerBundles:
    """Makes a bundle for each worker when it connects. Any thread.

    :param restartable: the groups whose workers may be replaced.
    :param letters: the folder of dead letters; empty if there can be none.
    """

    def __init__(
        self,
        prepared: Prepared,
        run_id: str,
        *,
        directory: WorkerDirectory,
        keys: EdgeKeys,
        limits: LinkLimits,
        restartable: list[str],
        letters: str,
    ) -> None:
        self._prepared, self._run_id = prepared, run_id
        self._directory, self._keys, self._limits = directory, keys, limits
        self._restartable, self._letters = restartable, letters

    def bundle_for(self, hello: Hello, hub: tuple[str, int]) -> BootstrapBundle:
        """The bundle for the worker that sent ``hello``; ``hub`` is the host and port of the hub.

        It also introduces the current workers of the other places.
        """
        config = self._prepared.config
        group = next(g for g in self._prepared.groups if g.name == hello.group)
        host, port = hub
        workers = self._directory.introduce_all(hello.worker_id)
        return BootstrapBundle(
            run_id=self._run_id,
            scenario_id=config.scenario.name,
            group=hello.group,
            worker_index=hello.index,
            incarnation=hello.incarnation,
            discovery_modules=tuple(config.runtime.discovery_modules),
            application=encode_bundle(self._child_bundle(workers)),
            data_host=host,
            data_port=port,
            heartbeat_seconds=group.heartbeat_seconds,
            keys=self._keys.bundle(
                hello.worker_id,
                (*self._directory.edges(workers), *client_edges(hello.worker_id)),
            ),
        )

    def _child_bundle(self, workers: dict[str, str]) -> ChildBootstrapBundle:
        config = self._prepared.config
        return ChildBootstrapBundle(
            application=application_spec(config),
            group_of=dict(self._prepared.plan.group_of),
            workers=workers,
            shared=workers_of(self._prepared.groups),
            restartable=self._restartable,
            limits=self._prepared.limits,
            link=self._limits,
            sampling_ratio=config.runtime.observability.tracing.sampling_ratio,
            spans=span_choices(config),
            flush_seconds=self._prepared.flush_seconds,
            source_seconds=self._prepared.source_seconds,
            letters=self._letters,
        )
