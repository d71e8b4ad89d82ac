"""The codes of settings, guards, runs, cache, lock and network."""

from console.errors.entry import Entry
from kpi_engine.declaring import Text

OURS = (
    Entry(
        "KPI-CFG-001",
        Text(
            "The settings or the command's words have a mistake",
            "Hay un error en la configuración o en la orden",
        ),
        Text(
            "`kpisync.toml` is missing, is not valid TOML, has a key that nobody knows or a value that cannot be, "
            "or an option names a rep, a KPI, a connection or a period that does not exist. All mistakes are told "
            "at once, each with its place, and nothing was done.",
            "Falta `kpisync.toml`, no es TOML válido, tiene una clave que nadie conoce o un valor imposible, o una "
            "opción nombra un comercial, un KPI, una conexión o un periodo que no existe. Se indican todos los "
            "errores a la vez, cada uno con su lugar, y no se ha hecho nada.",
        ),
        Text(
            "Correct the place that the message names; `config/example.toml` shows every setting, `kpisync kpis` "
            "every KPI. `kpisync init` writes a first `kpisync.toml`.",
            "Corrija el lugar que nombra el mensaje; `config/example.toml` muestra todos los ajustes y `kpisync "
            "kpis`, todos los KPI. `kpisync init` escribe un primer `kpisync.toml`.",
        ),
    ),
    Entry(
        "KPI-CFG-002",
        Text(
            "A secret is not stored",
            "Falta una clave secreta",
        ),
        Text(
            "The connection needs a secret (a token, a client secret, a private key) that is neither in the "
            "environment nor in the encrypted file nor in the system's keyring.",
            "La conexión necesita una clave secreta (un token, un secreto de cliente, una clave privada) que no "
            "está ni en el entorno, ni en el archivo cifrado, ni en el llavero del sistema.",
        ),
        Text(
            "Run `kpisync init`, or set the environment variable that the message names. A service or a container "
            "does not see the keyring of the person who set it up: give it the variable.",
            "Ejecute `kpisync init` o defina la variable de entorno que nombra el mensaje. Un servicio o un "
            "contenedor no ve el llavero de la persona que lo configuró: dele la variable.",
        ),
    ),
    Entry(
        "KPI-CFG-003",
        Text(
            "The store of secrets cannot be opened",
            "No se puede abrir el almacén de claves",
        ),
        Text(
            "`KPISYNC_VAULT_KEY` is not a key, or is not the key that `kpisync.vault` was sealed with; or this "
            "machine has no keyring and no such key was given.",
            "`KPISYNC_VAULT_KEY` no es una clave, o no es la clave con la que se selló `kpisync.vault`; o este "
            "equipo no tiene llavero y no se dio ninguna clave.",
        ),
        Text(
            "Make a key with `kpisync init --new-vault-key` and keep it in the environment of everyone who runs "
            "kpisync in this workspace. If the old key is lost, delete `kpisync.vault` and store the secrets "
            "again.",
            "Cree una clave con `kpisync init --new-vault-key` y guárdela en el entorno de quien ejecute kpisync "
            "en este espacio de trabajo. Si se perdió la clave anterior, borre `kpisync.vault` y guarde de nuevo "
            "los secretos.",
        ),
    ),
    Entry(
        "KPI-CFG-004",
        Text(
            "A KPI of our own cannot be evaluated",
            "Un KPI propio no se puede evaluar",
        ),
        Text(
            "A block `[[kpis.custom]]` of `kpisync.toml`, or the Python file that `[kpis] file` names, declares a KPI "
            "with a part, a population, a column or a condition that does not exist or does not fit, or whose key is "
            "taken. The message names the place and the reason; nothing was done.",
            "Un bloque `[[kpis.custom]]` de `kpisync.toml`, o el archivo de Python que nombra `[kpis] file`, declara "
            "un KPI con un componente, una población, una columna o una condición que no existe o no encaja, o cuya "
            "clave ya está en uso. El mensaje indica el lugar y el motivo; no se ha hecho nada.",
        ),
        Text(
            "Correct the place that the message names; docs/custom-kpis.md lists the parts, populations and columns "
            "that there are. `kpisync kpis` shows the KPI once it is right.",
            "Corrija el lugar que nombra el mensaje; docs/custom-kpis.es.md enumera los componentes, las poblaciones y "
            "las columnas que existen. `kpisync kpis` muestra el KPI cuando es correcto.",
        ),
    ),
    Entry(
        "KPI-GUARD-001",
        Text(
            "The CRM shows no reps",
            "El CRM no muestra ningún comercial",
        ),
        Text(
            "A CRM without a single user is one that no longer lets us see them. Nothing was written, because "
            "every number would have become a blank.",
            "Un CRM sin un solo usuario es un CRM que ya no nos deja verlos. No se ha escrito nada, porque todos "
            "los números habrían quedado en blanco.",
        ),
        Text(
            "Run `kpisync doctor`: it names the missing permission or scope. On a new workspace, `kpisync pull` first.",
            "Ejecute `kpisync doctor`: nombra el permiso o ámbito que falta. En un espacio de trabajo nuevo, "
            "ejecute antes `kpisync pull`.",
        ),
    ),
    Entry(
        "KPI-GUARD-002",
        Text(
            "The connection leads to another organisation",
            "La conexión lleva a otra organización",
        ),
        Text(
            "The sign-in opens another Salesforce org or HubSpot portal than the one whose records the cache "
            "holds: a sandbox instead of production, another client's token. Mixing them would falsify every "
            "number.",
            "El inicio de sesión abre otra organización de Salesforce u otro portal de HubSpot que aquel cuyos "
            "registros guarda la caché: un sandbox en lugar de producción, el token de otro cliente. Mezclarlos "
            "falsearía todos los números.",
        ),
        Text(
            "Correct the secret or the address; or give the other organisation a connection name of its own.",
            "Corrija la clave secreta o la dirección; o dé a la otra organización una conexión con nombre propio.",
        ),
    ),
    Entry(
        "KPI-GUARD-003",
        Text(
            "Too many values would be corrected",
            "Se corregirían demasiados valores",
        ),
        Text(
            "More of the values shown last time would be corrected in a period that was over, or emptied, than "
            "`[guards] max_changed_share` permits. That happens after a mass correction in the CRM, after a change "
            "of definitions, and when a permission is lost.",
            "Se corregirían en un periodo ya cerrado, o quedarían vacíos, más valores de los que se mostraron la "
            "última vez de lo que permite `[guards] max_changed_share`. Ocurre tras una corrección masiva en el "
            "CRM, tras un cambio de definiciones y cuando se pierde un permiso.",
        ),
        Text(
            "Look at `kpisync plan`, and open one or two numbers with `kpisync explain`. If they are right, "
            "`kpisync push --approve PLAN_ID` writes exactly that plan. If not, `kpisync doctor` says what can no "
            "longer be read.",
            "Mire `kpisync plan` y abra uno o dos números con `kpisync explain`. Si son correctos, `kpisync push "
            "--approve PLAN_ID` escribe exactamente ese plan. Si no, `kpisync doctor` dice qué ya no se puede "
            "leer.",
        ),
    ),
    Entry(
        "KPI-GUARD-004",
        Text(
            "The run would use too many API calls",
            "La ejecución gastaría demasiadas llamadas a la API",
        ),
        Text(
            "Writing this plan would take a larger part of the CRM's daily allowance than `[guards] "
            "api_budget_share` leaves to kpisync; other integrations need theirs.",
            "Escribir este plan consumiría una parte mayor del cupo diario del CRM de la que `[guards] "
            "api_budget_share` deja a kpisync; las demás integraciones necesitan la suya.",
        ),
        Text(
            "Write fewer periods or KPIs (`[kpis] write_grains`, `[kpis] track`), or raise `api_budget_share`.",
            "Escriba menos periodos o KPI (`[kpis] write_grains`, `[kpis] track`) o suba `api_budget_share`.",
        ),
    ),
    Entry(
        "KPI-GUARD-005",
        Text(
            "Not enough API calls are left today",
            "Hoy no quedan llamadas a la API suficientes",
        ),
        Text(
            "The plan needs more calls than the CRM still permits today.",
            "El plan necesita más llamadas de las que el CRM permite todavía hoy.",
        ),
        Text(
            "Wait until the allowance is renewed; the next run goes on from here. `kpisync status` shows what is left.",
            "Espere a que se renueve el cupo; la próxima ejecución continúa desde aquí. `kpisync status` muestra "
            "lo que queda.",
        ),
    ),
    Entry(
        "KPI-GUARD-006",
        Text(
            "The CRM has changed since the plan",
            "El CRM ha cambiado desde que se hizo el plan",
        ),
        Text(
            "Between making the plan and writing it, somebody or another run changed records that it is about.",
            "Entre que se hizo el plan y se fue a escribir, alguien u otra ejecución cambió registros de los que "
            "trata.",
        ),
        Text(
            "Make a new plan with `kpisync plan` and look at it again.",
            "Haga un plan nuevo con `kpisync plan` y revíselo.",
        ),
    ),
    Entry(
        "KPI-GUARD-007",
        Text(
            "Too many reps would lose a number",
            "Demasiados comerciales perderían un número",
        ),
        Text(
            "More reps than `[guards] max_reps_losing_share` permits would see a blank where a number stands now. "
            "The usual cause is a source that can no longer be read.",
            "Más comerciales de los que permite `[guards] max_reps_losing_share` verían un espacio en blanco donde "
            "ahora hay un número. La causa habitual es una fuente que ya no se puede leer.",
        ),
        Text(
            "Run `kpisync doctor`. If the blanks are right, `kpisync push --approve PLAN_ID` writes them.",
            "Ejecute `kpisync doctor`. Si los espacios en blanco son correctos, `kpisync push --approve PLAN_ID` "
            "los escribe.",
        ),
    ),
    Entry(
        "KPI-GUARD-008",
        Text(
            "The CRM no longer gives us what it gave before",
            "El CRM ya no nos da lo que antes daba",
        ),
        Text(
            "A kind of record that was read before is not there any more: a permission or a scope was taken away, or a "
            "feature of the CRM was switched off. The numbers that are made of it would become blank.",
            "Un tipo de registro que antes se leía ya no está: se retiró un permiso o un ámbito, o se desactivó una "
            "función del CRM. Los números que dependen de él quedarían en blanco.",
        ),
        Text(
            "`kpisync doctor` says what is missing. If it is to stay so, `kpisync push --approve PLAN_ID` writes the "
            "blanks, and later runs do without it.",
            "`kpisync doctor` dice qué falta. Si ha de quedar así, `kpisync push --approve PLAN_ID` escribe los "
            "espacios en blanco, y las ejecuciones siguientes prescinden de ello.",
        ),
    ),
    Entry(
        "KPI-GUARD-009",
        Text(
            "Too many records were refused",
            "Se rechazaron demasiados registros",
        ),
        Text(
            "The CRM refused more records than `[guards] max_refused` permits: something is wrong with all of them, a "
            "permission or a validation rule. What it had taken by then stays; nothing more was sent.",
            "El CRM rechazó más registros de los que permite `[guards] max_refused`: algo falla en todos ellos, un "
            "permiso o una regla de validación. Lo que ya había aceptado se queda; no se envió nada más.",
        ),
        Text(
            "`kpisync runs show RUN_ID` names each refused record with the CRM's reason and what to do. The next run "
            "sends the rest; `kpisync runs retry RUN_ID` tries the refused ones again.",
            "`kpisync runs show RUN_ID` nombra cada registro rechazado con el motivo del CRM y qué hacer. La próxima "
            "ejecución envía el resto; `kpisync runs retry RUN_ID` reintenta los rechazados.",
        ),
    ),
    Entry(
        "KPI-RUN-001",
        Text(
            "There is no such run",
            "No existe esa ejecución",
        ),
        Text(
            "No connection of this workspace has a run with that id.",
            "Ninguna conexión de este espacio de trabajo tiene una ejecución con ese identificador.",
        ),
        Text(
            "`kpisync runs list` shows the runs.",
            "`kpisync runs list` muestra las ejecuciones.",
        ),
    ),
    Entry(
        "KPI-RUN-002",
        Text(
            "There is no such plan",
            "No existe ese plan",
        ),
        Text(
            "No plan with that id was made in this workspace, or none at all yet.",
            "En este espacio de trabajo no se hizo ningún plan con ese identificador, o todavía ninguno.",
        ),
        Text(
            "`kpisync plan` makes one and says its id.",
            "`kpisync plan` hace uno y dice su identificador.",
        ),
    ),
    Entry(
        "KPI-RUN-003",
        Text(
            "Nothing has been computed yet",
            "Todavía no se ha calculado nada",
        ),
        Text(
            "The workspace has no values: nothing was pulled, or nothing was computed after the pull.",
            "El espacio de trabajo no tiene valores: no se leyó nada, o no se calculó nada después de leer.",
        ),
        Text(
            "Run `kpisync pull` and `kpisync compute`, or `kpisync run --dry-run` for both and a plan.",
            "Ejecute `kpisync pull` y `kpisync compute`, o `kpisync run --dry-run` para ambos y un plan.",
        ),
    ),
    Entry(
        "KPI-LOCK-001",
        Text(
            "Another run is at work",
            "Hay otra ejecución en marcha",
        ),
        Text(
            "Two runs in one workspace would step on each other, so this one did nothing. A run that died holds no "
            "lock.",
            "Dos ejecuciones en un mismo espacio de trabajo se estorbarían, así que esta no hizo nada. Una "
            "ejecución que murió no retiene el bloqueo.",
        ),
        Text(
            "Wait until it has finished; `kpisync status` shows what it does. If nothing runs, `kpisync serve` may "
            "be running as a service.",
            "Espere a que termine; `kpisync status` muestra lo que hace. Si no parece que haya nada en marcha, "
            "quizá `kpisync serve` se ejecuta como servicio.",
        ),
    ),
    Entry(
        "KPI-CACHE-001",
        Text(
            "The cache's address cannot be used",
            "La dirección de la caché no sirve",
        ),
        Text(
            "`[cache] url` is not an address of a database, or the driver of that database is not installed.",
            "`[cache] url` no es la dirección de una base de datos, o no está instalado su controlador.",
        ),
        Text(
            "Write `sqlite:///kpisync.db`, or install the driver (psycopg for PostgreSQL) beside kpisync.",
            "Escriba `sqlite:///kpisync.db`, o instale el controlador (psycopg para PostgreSQL) junto a kpisync.",
        ),
    ),
    Entry(
        "KPI-CACHE-002",
        Text(
            "The cache is damaged",
            "La caché está dañada",
        ),
        Text(
            "The file is not a database of kpisync, or a part of it cannot be read: a disk fault, a copy made "
            "while a run was writing, a file of another program.",
            "El archivo no es una base de datos de kpisync, o una parte no se puede leer: un fallo de disco, una "
            "copia hecha mientras se escribía, un archivo de otro programa.",
        ),
        Text(
            "Move the file away and run `kpisync pull --full`: the CRM still has every record. Keep the old file "
            "if you need the history of runs.",
            "Aparte el archivo y ejecute `kpisync pull --full`: el CRM conserva todos los registros. Guarde el "
            "archivo antiguo si necesita el historial de ejecuciones.",
        ),
    ),
    Entry(
        "KPI-CACHE-003",
        Text(
            "Another program holds the cache",
            "Otro programa tiene abierta la caché",
        ),
        Text(
            "A database browser, a backup or a second kpisync has the file open for writing.",
            "Un explorador de bases de datos, una copia de seguridad u otro kpisync tiene abierto el archivo para "
            "escribir.",
        ),
        Text(
            "Close it, then run again; nothing was lost.",
            "Ciérrelo y ejecute de nuevo; no se ha perdido nada.",
        ),
    ),
    Entry(
        "KPI-CACHE-004",
        Text(
            "The cache may not be opened or written",
            "No se puede abrir o escribir la caché",
        ),
        Text(
            "This user has no right to the file or its folder, or the folder does not exist.",
            "Este usuario no tiene derechos sobre el archivo o su carpeta, o la carpeta no existe.",
        ),
        Text(
            "Give the user who runs kpisync the right to write the workspace; SQLite also writes files beside its own.",
            "Dé al usuario que ejecuta kpisync derecho de escritura en el espacio de trabajo; SQLite escribe "
            "además archivos junto al suyo.",
        ),
    ),
    Entry(
        "KPI-CACHE-005",
        Text(
            "The disk is full",
            "El disco está lleno",
        ),
        Text(
            "The cache could not grow. What was being written was taken back whole.",
            "La caché no pudo crecer. Lo que se estaba escribiendo se deshizo por completo.",
        ),
        Text(
            "Make room and run again; the run goes on from where it stopped.",
            "Libere espacio y ejecute de nuevo; continúa desde donde se detuvo.",
        ),
    ),
    Entry(
        "KPI-CACHE-006",
        Text(
            "The database answered something unexpected",
            "La base de datos respondió algo inesperado",
        ),
        Text(
            "The message carries the database's own words. Nothing was half-written.",
            "El mensaje lleva las palabras de la propia base de datos. Nada quedó a medio escribir.",
        ),
        Text(
            "Run `kpisync doctor`, which checks the cache; if it finds nothing, report the message.",
            "Ejecute `kpisync doctor`, que comprueba la caché; si no encuentra nada, comunique el mensaje.",
        ),
    ),
    Entry(
        "KPI-CACHE-007",
        Text(
            "A newer kpisync wrote the cache",
            "La caché la escribió un kpisync más nuevo",
        ),
        Text(
            "The tables or the ledger are of a version that this program does not know. It leaves them alone.",
            "Las tablas o el registro de ejecuciones son de una versión que este programa no conoce. No los toca.",
        ),
        Text(
            "Update kpisync, or give this version a cache of its own in `[cache] url`.",
            "Actualice kpisync, o dé a esta versión una caché propia en `[cache] url`.",
        ),
    ),
    Entry(
        "KPI-NET-001",
        Text(
            "An address of another host was to be called",
            "Se iba a llamar a una dirección de otro servidor",
        ),
        Text(
            "The CRM, or something between, named an address outside its own host. Calling it would have given "
            "this connection's token to a stranger, so it was not called.",
            "El CRM, o algo intermedio, nombró una dirección fuera de su propio servidor. Llamarla habría "
            "entregado el token de esta conexión a un extraño, así que no se llamó.",
        ),
        Text(
            "Check the addresses in `kpisync.toml`; if they are right, report the message with the CRM's name.",
            "Compruebe las direcciones de `kpisync.toml`; si son correctas, comunique el mensaje con el nombre del "
            "CRM.",
        ),
    ),
    Entry(
        "KPI-MEM-001",
        Text(
            "There is no place for these numbers yet",
            "Aún no hay lugar para estos números",
        ),
        Text(
            "The CRM kept in memory, which tests and trials use, was not provisioned.",
            "El CRM en memoria, que usan las pruebas y ensayos, no se ha preparado.",
        ),
        Text(
            "Run `kpisync provision`.",
            "Ejecute `kpisync provision`.",
        ),
    ),
)
