"""The Spanish twin of every English sentence that the command line says."""

SPANISH: dict[str, str] = {
    "Sign in to the CRM in a browser and store what it grants (auth = refresh_token or oauth).": (
        "Iniciar sesión en el CRM con un navegador y guardar lo que conceda (auth = refresh_token u oauth)."
    ),
    "End our access at the CRM, then forget the secrets; no record, setting or cached number is touched.": (
        "Terminar nuestro acceso en el CRM y olvidar los secretos; no se toca ningún registro, ajuste ni dato en caché."
    ),
    "Only print the address; it is opened by hand.": "Solo mostrar la dirección; se abre a mano.",
    "Port of this machine that the CRM sends the browser to.": (
        "Puerto de este equipo al que el CRM envía el navegador."
    ),
    "How long to wait.": "Cuánto esperar.",
    "Forget the secrets even if the CRM cannot be told.": ("Olvidar los secretos aunque no se pueda avisar al CRM."),
    "{crm} ended the access of {name}.": "{crm} terminó el acceso de {name}.",
    "{crm} did not know the access of {name} any more.": "{crm} ya no conocía el acceso de {name}.",
    "For {name} there is nothing to end at {crm} from here.": (
        "Para {name} no hay nada que terminar en {crm} desde aquí."
    ),
    "The access of {name} may still be good at {crm}.": "El acceso de {name} puede seguir siendo válido en {crm}.",
    "Its secrets are forgotten here. Settings, cache and the CRM's records are as they were.": (
        "Aquí se han olvidado sus secretos. Los ajustes, la caché y los registros del CRM siguen como estaban."
    ),
    "The External Client App stays in Salesforce; block or delete it there.": (
        "La External Client App sigue en Salesforce; bloquéela o elimínela allí."
    ),
    "Nothing of the sign-in is left in Salesforce.": "En Salesforce no queda nada del inicio de sesión.",
    "HubSpot lets nobody end a service key from outside: delete it there (Development › Keys).": (
        "HubSpot no deja terminar una clave de servicio desde fuera: elimínela allí (Desarrollo › Claves)."
    ),
    "The app stays installed in HubSpot; uninstall it there (Settings › Integrations › Connected apps).": (
        "La aplicación sigue instalada en HubSpot; desinstálela allí (Configuración › Integraciones › Aplicaciones "
        "conectadas)."
    ),
    "Still set in the environment: {name}. Take it away there.": "Sigue definida en el entorno: {name}. Quítela allí.",
    "The app's client secret (empty: it has none)": "El secreto de cliente de la aplicación (vacío: no tiene)",
    "Agree on this page of {crm}:": "Acepte en esta página de {crm}:",
    "{crm} comes back to {address}; the app must name exactly this.": (
        "{crm} vuelve a {address}; la aplicación debe nombrar exactamente esta dirección."
    ),
    "{crm} is connected": "{crm} está conectado",
    "kpisync may sign in as {name}. You can close this page.": (
        "kpisync puede iniciar sesión como {name}. Puede cerrar esta página."
    ),
    "Not connected ({code})": "Sin conexión ({code})",
    "Not connected": "Sin conexión",
    "kpisync was interrupted; see the terminal.": "kpisync se interrumpió; vea el terminal.",
    "There is nothing here.": "Aquí no hay nada.",
    "This link is not the one": "Este enlace no es el esperado",
    "It belongs to another sign-in than the one that waits. Nothing was changed; go on there.": (
        "Pertenece a otro inicio de sesión, no al que está esperando. No se ha cambiado nada; siga en aquel."
    ),
    "This link was used": "Este enlace ya se usó",
    "It works once. See the terminal for what came of it.": "Sirve una vez. Vea en el terminal qué resultó.",
    "{name} is connected to {crm} {organisation} as {person}. Next: kpisync doctor": (
        "{name} está conectado a {crm} {organisation} como {person}. Siguiente: kpisync doctor"
    ),
    "Not granted: {scope}. `kpisync doctor` says what does without it.": (
        "No concedido: {scope}. `kpisync doctor` dice qué queda sin ello."
    ),
    "Nothing was forgotten, so that it can be tried again.": "No se ha olvidado nada, para poder intentarlo de nuevo.",
    "reason": "motivo",
    "Periods whose numbers stay as they are.": "Periodos cuyos números se quedan como están.",
    "Why; it is kept with the closure.": "Por qué; se guarda con el cierre.",
    "What was closed and opened again, when and why.": "Qué se cerró y se volvió a abrir, cuándo y por qué.",
    "Leave the KPI records of a period, and of all periods within it, as they are.": (
        "Dejar como están los registros de KPI de un periodo y de todos los que contiene."
    ),
    "Let the next run write what was closed within a period.": (
        "Dejar que la próxima ejecución escriba lo que se cerró dentro de un periodo."
    ),
    "{period} is closed for {name}.": "{period} está cerrado para {name}.",
    "{period} is open again for {name}.": "{period} está abierto de nuevo para {name}.",
    "closed": "cerrado",
    "reopened": "reabierto",
    "because": "porque",
    "to": "hasta",
    "  {what}": "  {what}",
    "  – {n} left out: {rule}, such as {id}": "  – {n} excluidos: {rule}, como {id}",
    "  … {n} records counted in all.": "  … {n} registros contados en total.",
    "2026-11-25, 2026-W48, 2026-11, 2026-Q4 or 2026.": "2026-11-25, 2026-W48, 2026-11, 2026-Q4 o 2026.",
    "A JSON list of faults to strike with.": "Una lista JSON de fallos que provocar.",
    "A folder of files to load instead of the demo company.": (
        "Una carpeta de archivos que cargar en lugar de la empresa de demostración."
    ),
    "A name for this connection": "Un nombre para esta conexión",
    "A pretend CRM listens on {url}: {company}": "Un CRM simulado escucha en {url}: {company}",
    "A pretend Salesforce or HubSpot on a loopback port, until it is interrupted.": (
        "Un Salesforce o HubSpot simulado en un puerto local, hasta que se interrumpa."
    ),
    "A pretend {crm} listens on {url}; stop it with Ctrl+C.": (
        "Un {crm} simulado escucha en {url}; deténgalo con Ctrl+C."
    ),
    "API calls left": "llamadas a la API restantes",
    "Add the targets of a CSV file.": "Añadir los objetivos de un archivo CSV.",
    "Arguments": "Argumentos",
    "As of this date or moment instead of now.": "A esta fecha o momento en lugar de ahora.",
    "Ask nothing; secrets come from the environment.": "No preguntar nada; las claves vienen del entorno.",
    "CRM → cache.": "CRM → caché.",
    "CSV with the columns kpi, scope, grain, value, from.": "CSV con las columnas kpi, scope, grain, value, from.",
    "Cache → values, for every period from the first record (or kpis.since) on.": (
        "Caché → valores, para cada periodo desde el primer registro (o kpis.since)."
    ),
    "Changed in the CRM: {key}, {field}: we wrote {confirmed}, it shows {shown}.": (
        "Cambiado en el CRM: {key}, {field}: escribimos {confirmed}, muestra {shown}."
    ),
    "Computed values.": "Valores calculados.",
    "Correct the record in the CRM.": "Corrija el registro en el CRM.",
    "Counted": "Contados",
    "E-mail, name or CRM id; team:…, all, unassigned.": (
        "Correo, nombre o identificador del CRM; team:…, all, unassigned."
    ),
    "E-mail, name or CRM id; team:…, all.": "Correo, nombre o identificador del CRM; team:…, all.",
    "Enforce the CRM's request limits.": "Aplicar los límites de peticiones del CRM.",
    "Engagement scores of the open leads, the most engaged first.": (
        "Puntuación de interés de los leads abiertos, primero los más comprometidos."
    ),
    "Everyday": "Día a día",
    "Everything but writing to the CRM.": "Todo menos escribir en el CRM.",
    "Everything that can be wrong, each with its fix.": "Todo lo que puede ir mal, cada cosa con su remedio.",
    "First run": "Primera ejecución",
    "Freshness, last and next run, what is left of the day's API calls.": (
        "Actualidad, última y próxima ejecución, y lo que queda de las llamadas a la API del día."
    ),
    "From the beginning instead of where the last one stopped.": (
        "Desde el principio en lugar de donde paró la última vez."
    ),
    "From this day on; default: today.": "Desde este día; por defecto: hoy.",
    "How it is shown.": "Cómo se muestra.",
    "How long each answer takes.": "Cuánto tarda cada respuesta.",
    "How many.": "Cuántas.",
    "How they are given.": "Cómo se entregan.",
    "HubSpot: the API's address.": "HubSpot: la dirección de la API.",
    "Install completion for the current shell.": "Instalar el autocompletado en el intérprete actual.",
    "Interrupted; what was finished until then stays.": "Interrumpido; lo terminado hasta entonces se conserva.",
    "Its port.": "Su puerto.",
    "KPI": "KPI",
    "Keep the workspace to look around in it.": "Conservar el espacio de trabajo para explorarlo.",
    "Left out": "Excluidos",
    "Let the schedule rest until `resume`.": "Dejar descansar la programación hasta `resume`.",
    "Let the schedule work again.": "Volver a poner en marcha la programación.",
    "Look around: `kpisync demo --keep`, then `kpisync values` and `kpisync explain` in its workspace.": (
        "Explore: `kpisync demo --keep`, y después `kpisync values` y `kpisync explain` en su espacio de trabajo."
    ),
    "Make our object, fields, permission sets, reports and dashboards in the CRM.": (
        "Crear en el CRM nuestro objeto, campos, conjuntos de permisos, informes y paneles."
    ),
    "Move the file away and run `kpisync pull --full`.": "Aparte el archivo y ejecute `kpisync pull --full`.",
    "Next: {what} at {moment}": "Próxima: {what}, {moment}",
    "Not understood: {stream} {id}: {reason}": "No entendido: {stream} {id}: {reason}",
    "Nothing to do without the schedule.": "Sin la programación no hay nada que hacer.",
    "Numbers": "Números",
    "One channel or band: channel=Web, band=large.": "Un canal o tamaño: channel=Web, band=large.",
    "One number: the sentence, the formula, every record counted, every record left out and why.": (
        "Un número: la frase, la fórmula, cada registro contado y cada registro excluido, con su porqué."
    ),
    "Look at everything of ours in the CRM, however many calls that takes.": (
        "Revisar todo lo nuestro en el CRM, cueste las llamadas que cueste."
    ),
    "One run: what was written where and when, why it changed, and what the CRM refused.": (
        "Una ejecución: qué se escribió, dónde y cuándo, por qué cambió y qué rechazó el CRM."
    ),
    "Only print a new key for the encrypted file of secrets.": (
        "Solo mostrar una clave nueva para el archivo cifrado de secretos."
    ),
    "Only the first {n} values; --format jsonl, csv or parquet gives them all.": (
        "Solo los primeros {n} valores; --format jsonl, csv o parquet los da todos."
    ),
    "Only these.": "Solo estos.",
    "Only this KPI.": "Solo este KPI.",
    "Only this connection; default: all.": "Solo esta conexión; por defecto: todas.",
    "Only this kind of period.": "Solo este tipo de periodo.",
    "Only this object; may be repeated.": "Solo este objeto; se puede repetir.",
    "Only values split by this.": "Solo valores desglosados por esto.",
    "Operate": "Operación",
    "Options": "Opciones",
    (
        "Options of every command: --workspace DIR, --json, --no-progress, -v, --lang en|es.\n\nExit codes: 0 done "
        "· 1 failed · 2 wrong usage or settings · 3 done, but with refused records ·\n4 not allowed to sign in · 5 "
        "a guard stopped it (nothing written) · 6 another run holds the lock."
    ): (
        "Opciones de todas las órdenes: --workspace DIR, --json, --no-progress, -v, --lang en|es.\n\nCódigos de "
        "salida: 0 hecho · 1 fallido · 2 uso o configuración incorrectos · 3 hecho, con registros rechazados ·\n4 "
        "sin permiso para iniciar sesión · 5 lo detuvo una protección (nada escrito) · 6 otra ejecución tiene el "
        "bloqueo."
    ),
    "Plan {id} for {connection}: {records} records change, {unchanged} stay; {calls} calls{share}.": (
        "Plan {id} para {connection}: cambian {records} registros, {unchanged} quedan igual; {calls} llamadas{share}."
    ),
    "Port on this machine; 0: any free one.": "Puerto en este equipo; 0: cualquiera libre.",
    "Provisioned: {n} objects, fields and pages of ours in the CRM.": (
        "Preparado: {n} objetos, campos y páginas nuestros en el CRM."
    ),
    "Pull, compute, plan and push.": "Leer, calcular, planificar y escribir.",
    "Put back what the CRM showed before a run.": "Restaurar lo que el CRM mostraba antes de una ejecución.",
    "Refused: {key}: {code}: {reason} {advice}": "Rechazado: {key}: {code}: {reason} {advice}",
    "Refused: {what}: {reason} {advice}": "Rechazado: {what}: {reason} {advice}",
    "Remove exactly what `provision` made.": "Quitar exactamente lo que creó `provision`.",
    "Sales KPIs from Salesforce and HubSpot: pulled, computed, explained, written back.": (
        "KPI de ventas de Salesforce y HubSpot: leídos, calculados, explicados y escritos de vuelta."
    ),
    "Salesforce: your My Domain address.": "Salesforce: su dirección My Domain.",
    "Second run, with nothing new": "Segunda ejecución, sin nada nuevo",
    "Set up": "Puesta en marcha",
    "Show completion for the current shell, to copy it or customize the installation.": (
        "Mostrar el autocompletado del intérprete actual, para copiarlo o adaptar la instalación."
    ),
    "Show this message and exit.": "Mostrar este mensaje y salir.",
    "Show what would be made.": "Mostrar lo que se crearía.",
    "Show what would be put back.": "Mostrar lo que se restauraría.",
    "Show what would be removed.": "Mostrar lo que se quitaría.",
    "Show what would be tried again.": "Mostrar lo que se reintentaría.",
    "Still needed: the environment variable {name}.": "Aún falta: la variable de entorno {name}.",
    "Stopped.": "Detenido.",
    "Team of {name}": "Equipo de {name}",
    "The CRM's address": "La dirección del CRM",
    "The KPI's key.": "La clave del KPI.",
    "The app's client id (consumer key)": "El identificador de cliente de la aplicación (consumer key)",
    "The app's client id or consumer key.": "El identificador de cliente o consumer key de la aplicación.",
    "The catalogue: every KPI and what it means.": "El catálogo: cada KPI y lo que significa.",
    "The connection's name; yours to choose.": "El nombre de la conexión; elíjalo usted.",
    "The kind of period.": "El tipo de periodo.",
    "The last runs.": "Las últimas ejecuciones.",
    "The next runs.": "Las próximas ejecuciones.",
    "The run to take back.": "La ejecución que se deshace.",
    "The run whose refused records are tried again.": "La ejecución cuyos registros rechazados se reintentan.",
    "The run.": "La ejecución.",
    "The second run wrote nothing: the CRM shows what was computed.": (
        "La segunda ejecución no escribió nada: el CRM muestra lo calculado."
    ),
    "The second run wrote {n} times; that is a mistake of ours.": (
        "La segunda ejecución escribió {n} veces; es un error nuestro."
    ),
    "The targets of kpisync.toml.": "Los objetivos de kpisync.toml.",
    "The way to sign in.": "La forma de iniciar sesión.",
    "The whole round trip against a pretend CRM; needs no account.": (
        "El recorrido completo contra un CRM simulado; no hace falta cuenta."
    ),
    "The workspace is kept in {folder}; `kpisync --workspace {folder} values` reads it.": (
        "El espacio de trabajo se conserva en {folder}; `kpisync --workspace {folder} values` lo lee."
    ),
    "There is no web console yet: nothing answers at {host}:{port}. The schedule runs without it.": (
        "Todavía no hay consola web: nada responde en {host}:{port}. La programación funciona sin ella."
    ),
    "This month, as the CRM shows it now": "Este mes, tal como lo muestra ahora el CRM",
    "Try": "Probar",
    "Want something of a KPI from a day on.": "Fijar un objetivo para un KPI desde un día.",
    "What a write-back would change, field by field, and its cost in API calls; writes nothing.": (
        "Qué cambiaría una escritura, campo a campo, y su coste en llamadas a la API; no escribe nada."
    ),
    "What is scheduled.": "Lo que está programado.",
    "What is wanted of a KPI.": "Lo que se quiere de un KPI.",
    "What is wanted, in the KPI's own unit.": "Lo que se quiere, en la unidad del KPI.",
    "What ran, and what came of it.": "Qué se ejecutó y qué resultó.",
    "What was looked at": "Lo que se ha revisado",
    "When what runs.": "Qué se ejecuta y cuándo.",
    "Where the web console answers.": "Dónde responde la consola web.",
    "Which CRM (salesforce or hubspot)": "Qué CRM (salesforce o hubspot)",
    "Which CRM to pretend to be.": "Qué CRM simular.",
    "Which CRM.": "Qué CRM.",
    "Without the schedule.": "Sin la programación.",
    "Without the web console.": "Sin la consola web.",
    "Work on the schedule of kpisync.toml until it is interrupted.": (
        "Trabajar según la programación de kpisync.toml hasta que se interrumpa."
    ),
    "Write again what the CRM refused in a run, as far as it still shows something else.": (
        "Volver a escribir lo que el CRM rechazó en una ejecución, mientras siga mostrando otra cosa."
    ),
    "Write back what `plan` shows.": "Escribir en el CRM lo que muestra `plan`.",
    "Write exactly this plan, guards or not.": "Escribir exactamente este plan, con o sin protecciones.",
    "Write it to a file.": "Escribirlo en un archivo.",
    "Write kpisync.toml and store the secrets.": "Escribir kpisync.toml y guardar las claves.",
    "Written to {file}.": "Escrito en {file}.",
    "adds": "aporta",
    "after": "después",
    "attainment": "cumplimiento",
    "before": "antes",
    "better": "mejor",
    "can be written": "se puede escribir",
    "change": "cambio",
    "connection": "conexión",
    "counts": "recuento",
    "day": "día",
    "day, week, month, quarter or year.": "day (día), week (semana), month (mes), quarter (trimestre) o year (año).",
    "definition": "definición",
    "detail": "detalle",
    "dimension": "desglose",
    "everyone, team:MANAGER or rep:E-MAIL.": "everyone (todos), team:RESPONSABLE o rep:CORREO.",
    "field": "campo",
    "finished": "fin",
    "fix": "remedio",
    "from": "desde",
    "grain": "periodo",
    "key": "clave",
    "kind": "tipo",
    "kpi": "kpi",
    "label": "nombre",
    "last run": "última ejecución",
    "lead": "lead",
    "level": "nivel",
    "message": "mensaje",
    "next run": "próxima ejecución",
    "note": "nota",
    "organisation": "organización",
    "owner": "propietario",
    "part": "parte",
    "period": "periodo",
    "record": "registro",
    "records": "registros",
    "rep": "comercial",
    "rule": "regla",
    "run": "ejecución",
    "scope": "alcance",
    "score": "puntuación",
    "started": "inicio",
    "state": "estado",
    "surface": "lugar",
    "target": "objetivo",
    "the period was over": "el periodo ya había terminado",
    "time zone": "zona horaria",
    "unit": "unidad",
    "value": "valor",
    "what": "qué",
    "when": "cuándo",
    "why": "por qué",
    "{code}: {message} {advice}": "{code}: {message} {advice}",
    "{code}: {title}. {fix}": "{code}: {title}. {fix}",
    "{file} has the connection {name}. Next: kpisync connect": (
        "{file} tiene la conexión {name}. Siguiente: kpisync connect"
    ),
    "{file} has the connection {name}. Next: kpisync doctor": (
        "{file} tiene la conexión {name}. Siguiente: kpisync doctor"
    ),
    "{left} of {all} left": "quedan {left} de {all}",
    "{version} is supported until {day}: {uses}": "{version} se mantiene hasta el {day}: {uses}",
    "Before that day update kpisync, or choose a newer version in kpisync.toml.": (
        "Antes de ese día, actualice kpisync o elija una versión más nueva en kpisync.toml."
    ),
    "{name} rests since {moment}; `kpisync schedule resume` wakes it.": (
        "{name} descansa desde {moment}; `kpisync schedule resume` la despierta."
    ),
    "{name} rests.": "{name} descansa.",
    "{name} works again.": "{name} vuelve a trabajar.",
    "{name}: {n} records new or changed, {d} deleted.": "{name}: {n} registros nuevos o cambiados, {d} eliminados.",
    ("{name}: {n} records were not sent after so many refusals (guards.max_refused); the next run sends them."): (
        "{name}: {n} registros no se enviaron tras tantos rechazos (guards.max_refused); la próxima ejecución los "
        "envía."
    ),
    "{name}: {n} records would change; nothing was written.": (
        "{name}: cambiarían {n} registros; no se ha escrito nada."
    ),
    "{name}: {n} records written, {r} refused.": "{name}: {n} registros escritos, {r} rechazados.",
    "{name}: {n} things made, {rest} were there.": "{name}: {n} elementos creados, {rest} ya estaban.",
    "{name}: {n} things removed, {rest} were not there.": "{name}: {n} elementos quitados, {rest} no estaban.",
    "{name}: {n} things would be made, {rest} are there.": "{name}: se crearían {n} elementos, {rest} ya están.",
    "{name}: {n} things would be removed, {rest} are not there.": (
        "{name}: se quitarían {n} elementos, {rest} no están."
    ),
    (
        "{name}: {read} records read, {computed} values computed, {planned} records planned, {written} written, "
        "{refused} refused.\n  The CRM's own log: {requests} requests, {writes} of them write."
    ): (
        "{name}: {read} registros leídos, {computed} valores calculados, {planned} registros previstos, {written} "
        "escritos, {refused} rechazados.\n  El registro del propio CRM: {requests} peticiones, {writes} de ellas "
        "escriben."
    ),
    "{name}: {stream} was not read: {reason}": "{name}: {stream} no se leyó: {reason}",
    "{name}: {values} values of {periods} periods.": "{name}: {values} valores de {periods} periodos.",
    "{n} more; --format csv, json or html shows them all.": "{n} más; --format csv, json o html los muestra todos.",
    "{n} records": "{n} registros",
    "{n} targets added to {file}.": "{n} objetivos añadidos a {file}.",
    "{text}": "{text}",
    "{text} See kpisync --help.": "{text} Consulte kpisync --help.",
}
