"""Which version of its model a board answers by, as its slots say."""

from pathlib import Path

from common.errors import ModelError
from common.settings import Loaded
from edge import directories
from edge.asking import wire
from edge.local.model import read_model
from edge.models import DIRECTORY, STATE_FILE
from edge.models.store import Store
from edge.settings import EdgeSettings


def shipped(loaded: Loaded[EdgeSettings]) -> Path:
    """Folder of the model that the settings name."""
    return loaded.settings.local.model_dir / loaded.settings.local.model


def kept(loaded: Loaded[EdgeSettings]) -> Store | None:
    """The slots of the model that the settings name; None: there are none yet."""
    file = directories.found(loaded, directories.STATE, f"{DIRECTORY}/{loaded.settings.local.model}/{STATE_FILE}")
    return Store(file.parent, shipped(loaded)) if file is not None else None


def opened(loaded: Loaded[EdgeSettings]) -> Store:
    """Where the daemon keeps them."""
    directory = directories.hoped_for(loaded, directories.STATE)
    return Store(directory / DIRECTORY / loaded.settings.local.model, shipped(loaded))


def serving(loaded: Loaded[EdgeSettings]) -> Path:
    """Folder of the model to answer by. One that cannot be used makes room for the one that came with the program."""
    store = kept(loaded)
    if store is None or (current := store.read().current) is None:
        return shipped(loaded)
    try:
        read_model(store.folder(current), wire.feature_spec(loaded.settings.cloud))
    except ModelError:
        # A daemon sends it back when it looks.
        return shipped(loaded)
    return store.folder(current)
